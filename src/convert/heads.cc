// See heads.h.
#include "convert/heads.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "convert/resolve.h"

namespace mx2onnx {
namespace {

using mxnet::NodeEntry;

// A longer list is nothing that a person would copy.
constexpr std::size_t kMostOffered = 12;

// Words of a name, without numbers at their ends: {"bbox", "target"} of "bbox_target2".
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : lower(name)) {
    if (c == '_' || c == '/' || c == '.' || c == ':' || c == '-') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  for (auto& word : words) {
    while (!word.empty() && word.back() >= '0' && word.back() <= '9') word.pop_back();
  }
  std::erase(words, "");
  return words;
}

bool is_named_like_a_label(std::string_view name) {
  const auto words = words_of(name);
  if (words.empty()) return false;
  const std::string& last = words.back();
  return words.front() == "gt" || last == "target" || last == "targets" || last == "lbl" ||
         last.ends_with("label") || last.ends_with("labels");
}

bool is_named_like_a_parameter(std::string_view name) {
  constexpr std::array<std::string_view, 8> kEndings{"_weight",       "_bias",        "_gamma",
                                                     "_beta",         "_moving_mean", "_moving_var",
                                                     "_running_mean", "_running_var"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

std::string name_of(const Model& model, const NodeEntry& entry) {
  const ModelNode& node = model.nodes[entry.node];
  const auto& raw = model.symbol.nodes[entry.node];
  if (entry.index < node.output_names.size()) return node.output_names[entry.index];
  return raw.is_variable() ? raw.name : raw.name + "_output";
}

std::string quoted(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  }
  return text;
}

bool says_loss(std::string_view text) { return lower(text).find("loss") != std::string::npos; }

/// Which nodes are computed from some others that are marked.
class Marked {
 public:
  Marked(const Model& model, const std::set<std::size_t>& marks) : model_(model) {
    reached_.resize(model.nodes.size(), 0);
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      if (!model.nodes[i].live) continue;
      reached_[i] = marks.contains(i) ? 1 : 0;
      for_each_input(i, [&](const NodeEntry& input) { reached_[i] |= reached_[input.node]; });
    }
  }

  bool operator[](std::size_t node) const { return reached_[node] != 0; }

  /// The marked nodes that an output is computed from, itself included.
  std::vector<std::size_t> behind(const NodeEntry& head) const {
    std::vector<std::size_t> found;
    std::vector<char> seen(model_.nodes.size(), 0);
    std::vector<std::size_t> open{head.node};
    while (!open.empty()) {
      const std::size_t node = open.back();
      open.pop_back();
      if (seen[node] != 0 || reached_[node] == 0) continue;
      seen[node] = 1;
      found.push_back(node);
      for_each_input(node, [&](const NodeEntry& input) { open.push_back(input.node); });
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  /// What the marked nodes behind an output are computed from: results of unmarked nodes.
  std::vector<NodeEntry> before(const NodeEntry& head) const {
    std::vector<NodeEntry> found;
    for (const std::size_t node : behind(head)) {
      for_each_input(node, [&](const NodeEntry& input) {
        const bool known = std::find(found.begin(), found.end(), input) != found.end();
        const bool computed = !model_.symbol.nodes[input.node].is_variable();
        if (reached_[input.node] == 0 && computed && !known) found.push_back(input);
      });
    }
    return found;
  }

  /// A parameter comes in at one of the marked nodes behind an output: what is there was trained.
  bool has_parameters(const NodeEntry& head) const {
    for (const std::size_t node : behind(head)) {
      for (const auto role : model_.nodes[node].input_roles) {
        if (role == InputRole::kWeight || role == InputRole::kAux) return true;
      }
    }
    return false;
  }

 private:
  template <typename Use>
  void for_each_input(std::size_t node, Use use) const {
    const auto& inputs = model_.symbol.nodes[node].inputs;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (model_.nodes[node].input_roles[k] != InputRole::kLabel) use(inputs[k]);
    }
  }

  const Model& model_;
  std::vector<char> reached_;
};

/// Outputs without those that are marked, and with what these are computed from, unless that is
/// computed from nothing that was trained but what other outputs have, too.
class Choice {
 public:
  Choice(const Model& model, const Marked& marked) : model_(model), marked_(marked) {
    is_parameter_.resize(model.nodes.size(), 0);
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      const auto& raw = model.symbol.nodes[i];
      if (model.nodes[i].role == VariableRole::kParameter || is_named_like_a_parameter(raw.name))
        is_parameter_[i] = 1;
      const auto& roles = model.nodes[i].input_roles;
      for (std::size_t k = 0; k < roles.size(); ++k) {
        if (roles[k] == InputRole::kWeight || roles[k] == InputRole::kAux)
          is_parameter_[raw.inputs[k].node] = 1;
      }
    }
    for (const auto& head : model.symbol.heads) {
      if (!marked[head.node]) keep(head);
    }
  }

  /// What would stand in the place of a marked output: nothing, or one value, or several.
  std::vector<NodeEntry> instead_of(const NodeEntry& head) const {
    std::vector<NodeEntry> found;
    for (const auto& entry : marked_.before(head)) {
      if (is_prediction(entry)) found.push_back(entry);
    }
    return found;
  }

  /// All of them, in the order of the outputs.
  std::vector<NodeEntry> all() const {
    std::vector<NodeEntry> found;
    Choice grown = *this;
    for (const auto& head : model_.symbol.heads) {
      if (!marked_[head.node]) {
        found.push_back(head);
        continue;
      }
      for (const auto& entry : grown.instead_of(head)) {
        found.push_back(entry);
        grown.keep(entry);
      }
    }
    return found;
  }

 private:
  std::set<std::size_t> needed_for(const NodeEntry& entry) const {
    std::set<std::size_t> needed;
    std::vector<std::size_t> open{entry.node};
    while (!open.empty()) {
      const std::size_t node = open.back();
      open.pop_back();
      if (!needed.insert(node).second) continue;
      for (const auto& input : model_.symbol.nodes[node].inputs) open.push_back(input.node);
    }
    return needed;
  }

  void keep(const NodeEntry& entry) {
    needed_.merge(needed_for(entry));
    has_outputs_ = true;
  }

  // Of data, and with parameters that no other output has.
  bool is_prediction(const NodeEntry& entry) const {
    if (needed_.contains(entry.node)) return false;
    bool takes_data = false;
    bool is_new = !has_outputs_;
    for (const std::size_t node : needed_for(entry)) {
      if (!model_.symbol.nodes[node].is_variable()) continue;
      takes_data = takes_data || is_parameter_[node] == 0;
      is_new = is_new || (is_parameter_[node] != 0 && !needed_.contains(node));
    }
    return takes_data && is_new;
  }

  const Model& model_;
  const Marked& marked_;
  std::vector<char> is_parameter_;
  std::set<std::size_t> needed_;  ///< Nodes behind the outputs that stay.
  bool has_outputs_ = false;
};

std::string outputs_option(const Model& model, const std::vector<NodeEntry>& entries) {
  std::string text;
  for (const auto& entry : entries) text += (text.empty() ? "" : ",") + name_of(model, entry);
  return text.empty() ? "" : "--outputs " + text;
}

// Problems within subgraphs are the control-flow node's: its path begins with the node's name.
std::set<std::size_t> nodes_with_problems(const Model& model,
                                          const std::vector<NodeProblem>& problems) {
  std::set<std::string> names;
  for (const auto& problem : problems) names.insert(problem.node);
  std::set<std::size_t> nodes;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (raw.is_variable()) continue;
    const auto inside = names.lower_bound(raw.name + "/");
    const bool has_inside =
        !raw.subgraphs.empty() && inside != names.end() && inside->starts_with(raw.name + "/");
    if (has_inside || names.contains(raw.name)) nodes.insert(i);
  }
  return nodes;
}

bool is_malformed(const std::vector<NodeProblem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const auto& problem) { return problem.code == ErrorCode::kModel; });
}

bool is_make_loss(const mxnet::Node& node) {
  return node.op == "MakeLoss" || node.op == "make_loss" || node.op == "_sparse_make_loss";
}

class LossFinder {
 public:
  LossFinder(const Model& model, const std::set<std::size_t>& broken)
      : model_(model), broken_(broken), marked_(model, broken), choice_(model, marked_) {}

  /// The outputs without losses; empty if what is in the way is not all losses of one value each.
  std::vector<NodeEntry> outputs() const {
    for (const auto& head : model_.symbol.heads) {
      if (marked_[head.node] && !(is_loss(head) && choice_.instead_of(head).size() <= 1)) return {};
    }
    return choice_.all();
  }

  Diagnostic describe(const NodeEntry& head, const std::vector<NodeEntry>& instead) const {
    std::string text = fmt::format("output '{}' is left out: {} is a loss that cannot be converted",
                                   name_of(model_, head), what_is_broken(head));
    if (instead.size() == 1) {
      text += fmt::format("; the output is '{}', which it is computed from",
                          name_of(model_, instead[0]));
    }
    return {"W-loss-left-out", model_.symbol.nodes[head.node].name, std::move(text)};
  }

  std::vector<Diagnostic> describe_all() const {
    std::vector<Diagnostic> found;
    std::set<std::size_t> told;
    for (const auto& head : model_.symbol.heads) {
      if (marked_[head.node] && told.insert(head.node).second)
        found.push_back(describe(head, choice_.instead_of(head)));
    }
    return found;
  }

 private:
  bool is_loss(const NodeEntry& head) const {
    if (marked_.has_parameters(head)) return false;
    if (is_make_loss(model_.symbol.nodes[head.node])) return true;
    const auto behind = marked_.behind(head);
    return std::all_of(behind.begin(), behind.end(), [&](std::size_t node) {
      const auto& raw = model_.symbol.nodes[node];
      return !broken_.contains(node) || says_loss(operator_key(raw)) || says_loss(raw.name);
    });
  }

  std::string what_is_broken(const NodeEntry& head) const {
    for (const std::size_t node : marked_.behind(head)) {
      if (broken_.contains(node)) return operator_key(model_.symbol.nodes[node]);
    }
    return "it";
  }

  const Model& model_;
  const std::set<std::size_t>& broken_;
  Marked marked_;
  Choice choice_;
};

}  // namespace

Model resolve_for_inference(mxnet::Symbol symbol, OperatorTable& operators,
                            const ConvertOptions& options, std::vector<NodeProblem>& problems,
                            Report& report) {
  Model model = resolve_operators(std::move(symbol), operators, problems);
  if (problems.empty() || !options.outputs.empty() || is_malformed(problems)) return model;
  const auto broken = nodes_with_problems(model, problems);
  // What another opset or other attributes would help is not what no one can convert.
  const bool all_unknown = std::all_of(broken.begin(), broken.end(), [&](std::size_t node) {
    return model.nodes[node].def == nullptr;
  });
  if (!all_unknown) return model;
  const LossFinder finder(model, broken);
  const auto warnings = finder.describe_all();
  auto outputs = finder.outputs();
  if (outputs.empty()) return model;

  mxnet::Symbol without = model.symbol;
  without.heads = std::move(outputs);
  std::vector<NodeProblem> left;
  Model result = resolve_operators(std::move(without), operators, left);
  if (!left.empty()) return model;
  problems.clear();
  report.diagnostics.insert(report.diagnostics.end(), warnings.begin(), warnings.end());
  return result;
}

void warn_of_training_inputs(const Model& model, const ConvertOptions& options, Report& report) {
  std::set<std::size_t> labels;
  std::set<std::size_t> of_training;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const std::string& name = model.symbol.nodes[i].name;
    if (model.nodes[i].role != VariableRole::kInput) continue;
    const bool is_given = std::any_of(options.inputs.begin(), options.inputs.end(),
                                      [&](const InputSpec& spec) { return spec.name == name; });
    if (is_named_like_a_label(name)) {
      labels.insert(i);
      names.push_back(name);
    } else if (is_named_like_a_parameter(name) && !is_given) {
      report.diagnostics.push_back(
          {"W-parameter-input", name,
           fmt::format("input '{}' is named like a parameter, but no file has it", name)});
      of_training.insert(i);
    }
  }
  if (names.empty()) return;
  const Marked labelled(model, labels);
  std::vector<std::string> needing;
  for (const auto& head : model.symbol.heads) {
    if (labelled[head.node]) needing.push_back(name_of(model, head));
  }
  const bool one = names.size() == 1;
  std::string text = fmt::format(
      "input{} {} look{} like {} of training: output{} {} need{} {}", one ? "" : "s", quoted(names),
      one ? "s" : "", one ? "a label" : "labels", needing.size() == 1 ? "" : "s", quoted(needing),
      needing.size() == 1 ? "s" : "", one ? "it" : "them");
  of_training.merge(labels);
  const Marked marked(model, of_training);
  const auto others = Choice(model, marked).all();
  if (options.outputs.empty() && !others.empty() && others.size() <= kMostOffered)
    text += fmt::format("; without {}: {}", one ? "it" : "them", outputs_option(model, others));
  report.diagnostics.push_back({"W-label-input", names[0], std::move(text)});
}

std::string outputs_that_convert(const Model& model, const ConvertOptions& options,
                                 const std::vector<NodeProblem>& problems) {
  if (!options.outputs.empty() || is_malformed(problems)) return {};
  const Marked marked(model, nodes_with_problems(model, problems));
  const auto entries = Choice(model, marked).all();
  return entries.size() > kMostOffered ? "" : outputs_option(model, entries);
}

}  // namespace mx2onnx
