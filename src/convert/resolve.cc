#include "convert/resolve.h"

#include <algorithm>
#include <unordered_map>

#include "base/interruption.h"
#include "base/nearest.h"
#include "base/text.h"
#include "ops/record/untranslated.h"

namespace mx2onnx {
namespace {

// Inference looks at a subgraph more than once, and at one within it more than once each time.
constexpr int kMostNesting = 16;
constexpr std::size_t kMostOutputs = 1024;

class Resolver {
 public:
  Resolver(Model& model, OperatorTable& operators, std::vector<NodeProblem>& problems)
      : model_(model), operators_(operators), problems_(problems) {}

  void run() {
    const std::size_t before = problems_.size();
    const auto& symbol = model_.symbol;
    for (const auto& head : symbol.heads) model_.nodes[head.node].live = true;
    count_used_outputs();
    // Against the topological order, so that a node is known to be live before its turn comes.
    for (std::size_t i = symbol.nodes.size(); i-- > 0;) {
      if (model_.nodes[i].live && !symbol.nodes[i].is_variable()) resolve(i);
    }
    std::reverse(problems_.begin() + static_cast<std::ptrdiff_t>(before), problems_.end());
    count_entries();
    check_entries();
  }

 private:
  void report(std::size_t index, std::string attribute, std::string message, std::string hint,
              ErrorCode code) {
    const auto& raw = model_.symbol.nodes[index];
    problems_.push_back({static_cast<std::int64_t>(index), model_.path + raw.name, raw.op,
                         std::move(attribute), std::move(message), std::move(hint), code});
  }

  void count_used_outputs() {
    used_outputs_.resize(model_.symbol.nodes.size(), 1);
    const auto use = [&](const mxnet::NodeEntry& entry) {
      auto& count = used_outputs_[entry.node];
      count = std::max<std::size_t>(count, std::size_t{entry.index} + 1);
    };
    for (const auto& head : model_.symbol.heads) use(head);
    for (const auto& node : model_.symbol.nodes) {
      for (const auto& input : node.inputs) use(input);
    }
  }

  void resolve(std::size_t index) {
    interruption_point();
    const auto& raw = model_.symbol.nodes[index];
    ModelNode& node = model_.nodes[index];
    // An index that no operator has is not worth so many names.
    node.def = operators_.find(raw, std::min(used_outputs_[index], kMostOutputs));
    if (node.def == nullptr) {
      report_untranslated(index);
    } else {
      const std::size_t before = problems_.size();
      parse_attributes(index, node);
      name_ports(index, node);
      if (node.def->bodies && problems_.size() == before) resolve_bodies(index, node);
    }
    node.input_roles.resize(raw.inputs.size(), InputRole::kData);
    node.input_names.resize(raw.inputs.size());
    for (std::size_t i = 0; i < raw.inputs.size(); ++i) {
      if (node.input_roles[i] != InputRole::kLabel) model_.nodes[raw.inputs[i].node].live = true;
    }
  }

  void report_untranslated(std::size_t index) {
    const auto& raw = model_.symbol.nodes[index];
    const std::string key = operator_key(raw);
    if (key != raw.op) {
      report(index, "",
             fmt::format("'{}' is an operator in Python that the model's program defines: the file "
                         "does not have what it computes",
                         key.substr(key.find(':') + 1)),
             fmt::format("register a translation for '{}', or allow a custom domain", key),
             ErrorCode::kUnsupported);
      return;
    }
    if (const auto why = find_untranslated(raw.op)) {
      report(index, "", fmt::format("'{}' {}", raw.op, why->reason), "", ErrorCode::kUnsupported);
      return;
    }
    const auto like = nearest(raw.op, operators_.all_names(), 1);
    report(index, "", "this operator is not known",
           like.empty() ? "" : fmt::format("the nearest that is known: {}", like[0]),
           ErrorCode::kUnsupported);
  }

  void parse_attributes(std::size_t index, ModelNode& node) {
    const auto& attrs = model_.symbol.nodes[index].attrs;
    // Most nodes of a net are like one a little before them.
    auto& known = good_[node.def];
    for (const auto& [text, params] : known) {
      if (*text != attrs) continue;
      node.params = params;
      return;
    }
    std::vector<AttrProblem> found;
    node.params = node.def->attrs.parse(attrs, found);
    const bool parsed = found.empty();
    if (parsed)
      found =
          node.def->problems_at(node.params.get(), {operators_.opset(), model_.symbol.np_shape});
    for (auto& problem : found) {
      report(index, std::move(problem.attribute), std::move(problem.message),
             std::move(problem.hint), parsed ? ErrorCode::kUnsupported : ErrorCode::kModel);
    }
    if (!found.empty()) return;
    if (known.size() == kMostKnown) known.erase(known.begin());
    known.emplace_back(&attrs, node.params);
  }

  void resolve_bodies(std::size_t index, ModelNode& node) {
    const auto& raw = model_.symbol.nodes[index];
    const auto feeds = node.def->bodies(node.params.get());
    const auto refuse = [&](std::string message) {
      report(index, "", std::move(message), "", ErrorCode::kModel);
    };
    if (raw.subgraphs.size() != feeds.size()) {
      refuse(fmt::format("expected {} subgraph{}, found {}", feeds.size(),
                         feeds.size() == 1 ? "" : "s", raw.subgraphs.size()));
      return;
    }
    if (model_.depth >= kMostNesting) {
      refuse(fmt::format("control flow is nested deeper than {} levels", kMostNesting));
      return;
    }
    for (std::size_t i = 0; i < feeds.size(); ++i) {
      auto body = std::make_shared<Model>();
      body->path = fmt::format("{}{}/", model_.path, raw.name);
      body->key = fmt::format("{}{}.{}/", model_.key, index, i);
      body->depth = model_.depth + 1;
      body->symbol = *raw.subgraphs[i];
      body->nodes.resize(body->symbol.nodes.size());
      Resolver(*body, operators_, problems_).run();
      const auto variables = body->variables();
      if (variables.size() != feeds[i].size()) {
        refuse(fmt::format("expected {} variables in subgraph {}, found {}", feeds[i].size(), i,
                           variables.size()));
        return;
      }
      for (std::size_t k = 0; k < variables.size(); ++k) {
        const std::size_t input = feeds[i][k].input;
        if (input >= raw.inputs.size()) {
          refuse(fmt::format("subgraph {} takes input {} of {}", i, input, raw.inputs.size()));
          return;
        }
        ModelNode& variable = body->nodes[variables[k]];
        if (variable.live) variable.role = VariableRole::kInput;
        if (is_weight(*body, variables[k])) node.input_roles[input] = InputRole::kWeight;
      }
      node.bodies.push_back(std::move(body));
    }
  }

  static bool is_weight(const Model& body, std::uint32_t variable) {
    for (std::size_t i = 0; i < body.nodes.size(); ++i) {
      const auto& inputs = body.symbol.nodes[i].inputs;
      for (std::size_t k = 0; k < inputs.size() && body.nodes[i].live; ++k) {
        const InputRole role = body.nodes[i].input_roles[k];
        const bool parameter = role == InputRole::kWeight || role == InputRole::kAux;
        if (parameter && inputs[k].node == variable) return true;
      }
    }
    return false;
  }

  void name_ports(std::size_t index, ModelNode& node) {
    const auto& raw = model_.symbol.nodes[index];
    const auto inputs = node.def->inputs(node.params.get());
    const std::size_t count = raw.inputs.size();
    const std::size_t fewest =
        inputs.size() - std::min(inputs.size(), node.def->num_optional_inputs);
    if (!node.def->variadic && (count < fewest || count > inputs.size())) {
      report(index, "",
             fmt::format("expected {} input{}, found {}", inputs.size(),
                         inputs.size() == 1 ? "" : "s", count),
             "", ErrorCode::kModel);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (node.def->variadic) {
        node.input_names.push_back(fmt::format("{}{}", inputs[0].name, i));
        node.input_roles.push_back(inputs[0].role);
      } else if (i < inputs.size()) {
        node.input_names.push_back(inputs[i].name);
        node.input_roles.push_back(inputs[i].role);
      }
    }
    node.output_names = node.def->outputs(node.params.get(), count);
    for (auto& name : node.output_names) {
      if (!raw.name.empty()) name = fmt::format("{}_{}", raw.name, name);
      name.insert(0, model_.path);
    }
  }

  void count_entries() {
    model_.first_entry.reserve(model_.nodes.size());
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      model_.first_entry.push_back(model_.num_entries);
      model_.num_entries += static_cast<std::uint32_t>(num_outputs(i));
    }
  }

  // Of an operator that is not known, as many as are used.
  std::size_t num_outputs(std::size_t index) const {
    const ModelNode& node = model_.nodes[index];
    const bool is_unknown = !model_.symbol.nodes[index].is_variable() && node.def == nullptr;
    const std::size_t used = is_unknown ? std::min(used_outputs_[index], kMostOutputs) : 1;
    return std::max(used, node.output_names.size());
  }

  // Entries that do not exist become the first of their nodes, once they are reported: an
  // inspection goes on with the model.
  void check_entries() {
    const auto exists = [&](const mxnet::NodeEntry& entry) {
      return entry.index < num_outputs(entry.node);
    };
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      auto& raw = model_.symbol.nodes[i];
      if (!model_.nodes[i].live) continue;
      for (std::size_t k = 0; k < raw.inputs.size(); ++k) {
        if (exists(raw.inputs[k])) continue;
        if (model_.nodes[i].input_roles[k] != InputRole::kLabel) {
          report(i, "",
                 fmt::format("input {} is output {} of '{}', which has fewer", k,
                             raw.inputs[k].index, model_.symbol.nodes[raw.inputs[k].node].name),
                 "", ErrorCode::kModel);
        }
        raw.inputs[k].index = 0;
      }
    }
    for (auto& head : model_.symbol.heads) {
      if (exists(head)) continue;
      report(head.node, "",
             fmt::format("output {} of the model is output {} of this node, which has fewer",
                         &head - model_.symbol.heads.data(), head.index),
             "", ErrorCode::kModel);
      head.index = 0;
    }
  }

  Model& model_;
  OperatorTable& operators_;
  std::vector<NodeProblem>& problems_;
  std::vector<std::size_t> used_outputs_;  // the highest index that is used, and 1
  // Of each operator, the last attributes that had no problem, and what they were read as.
  static constexpr std::size_t kMostKnown = 4;
  std::unordered_map<const OpDef*,
                     std::vector<std::pair<const mxnet::Attributes*, std::shared_ptr<const void>>>>
      good_;
};

}  // namespace

Model resolve_operators(mxnet::Symbol symbol, OperatorTable& operators,
                        std::vector<NodeProblem>& problems) {
  Model model;
  model.symbol = std::move(symbol);
  model.nodes.resize(model.symbol.nodes.size());
  Resolver(model, operators, problems).run();
  model.own_operators = operators.own_operators();
  return model;
}

}  // namespace mx2onnx
