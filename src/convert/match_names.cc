// See match_names.h.
//
// A rule is what two names leave when their common beginning and end are taken off, at the marks
// between words: `*_running_*=*_moving_*`, `net0_*=*`, `*_w=*_weight`. It is tried on all the other
// names.
#include "convert/match_names.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/attempt.h"
#include "base/error.h"
#include "base/text.h"
#include "convert/bind.h"
#include "infer/infer.h"

namespace mx2onnx {
namespace {

// Files with more names that the symbol does not have are not worth comparing them all.
constexpr std::size_t kMostSurplus = 100'000;
// Rules whose shapes are looked at: each takes an inference.
constexpr std::size_t kMostTrials = 8;
constexpr std::size_t kMostSuggestions = 4;
// Missing names from which rules are guessed, and those that a guess is tried on first.
constexpr std::size_t kMostGuessed = 10;
constexpr std::size_t kProbes = 16;
constexpr std::size_t kMostFixedSizes = 256;

std::string text_of(const RenameRule& rule) { return fmt::format("{}={}", rule.from, rule.to); }

bool is_mark(char c) { return c == '_' || c == '/' || c == '.' || c == ':'; }

// What a parameter is for, as its last words say; empty if they do not.
std::string_view purpose(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kEndings{{
      {"moving_mean", "mean"},
      {"running_mean", "mean"},
      {"moving_var", "variance"},
      {"running_var", "variance"},
      {"weight", "weight"},
      {"bias", "bias"},
      {"gamma", "gamma"},
      {"beta", "beta"},
  }};
  for (const auto& [ending, meaning] : kEndings) {
    if (name.ends_with(ending)) return meaning;
  }
  return {};
}

bool may_be_same(std::string_view stored, std::string_view wanted) {
  const auto one = purpose(stored);
  const auto other = purpose(wanted);
  return one.empty() || other.empty() || one == other;
}

// MXNet's two words for the statistics of a BatchNorm.
bool is_statistics_rule(const RenameRule& rule) {
  const std::string text = text_of(rule);
  return text == "*_running_*=*_moving_*" || text == "*_moving_*=*_running_*";
}

// The rule that turns one name into the other and keeps what they share.
RenameRule rule_between(std::string_view stored, std::string_view wanted) {
  const std::size_t shorter = std::min(stored.size(), wanted.size());
  std::size_t front = 0;
  while (front < shorter && stored[front] == wanted[front]) ++front;
  while (front > 0 && !is_mark(stored[front - 1])) --front;
  std::size_t back = 0;
  while (back < shorter - front &&
         stored[stored.size() - 1 - back] == wanted[wanted.size() - 1 - back])
    ++back;
  // What is shared begins with a mark, or after one where it is all of the shorter name.
  const auto begins_word = [&](std::size_t length) {
    if (is_mark(stored[stored.size() - length])) return true;
    const auto& longer = stored.size() > wanted.size() ? stored : wanted;
    return front == 0 && length == shorter && longer.size() > shorter &&
           is_mark(longer[longer.size() - length - 1]);
  };
  while (back > 0 && !begins_word(back)) --back;
  std::string old_part(stored.substr(front, stored.size() - front - back));
  std::string new_part(wanted.substr(front, wanted.size() - front - back));
  if (front > 0) {
    old_part = fmt::format("*{}{}", stored[front - 1], old_part);
    new_part = fmt::format("*{}{}", stored[front - 1], new_part);
  }
  if (back > 0) {
    const char mark = stored[stored.size() - back];
    const std::string after = is_mark(mark) ? std::string(1, mark) + "*" : "*";
    old_part += after;
    new_part += after;
  }
  return {std::move(old_part), std::move(new_part)};
}

// Adding or taking away words inside or at the end is no rule that people use.
bool is_plausible(const RenameRule& rule) {
  if (rule.from.find('*') == std::string::npos) return true;
  const auto words = [](const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c != '*' && !is_mark(c); });
  };
  const bool is_prefix = !rule.from.starts_with('*') || !rule.to.starts_with('*');
  return (words(rule.from) || is_prefix) && (words(rule.to) || is_prefix);
}

class Matcher {
 public:
  Matcher(const std::vector<std::string>& missing, const std::vector<std::string>& surplus)
      : missing_(missing), surplus_(surplus), surplus_set_(surplus.begin(), surplus.end()) {}

  /// The stored name that the rule turns into `wanted`; empty if there is none.
  std::string stored_for(const RenameRule& rule, const std::string& wanted) const {
    std::string stored = mxnet::rename(wanted, {{rule.to, rule.from}});
    const bool fits = surplus_set_.contains(stored) && may_be_same(stored, wanted) &&
                      mxnet::rename(stored, {rule}) == wanted;
    return fits ? stored : std::string();
  }

  /// Of the first `most` missing names those that the rule has a stored one for.
  std::vector<std::string> covered(const RenameRule& rule, std::size_t most) const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < std::min(most, missing_.size()); ++i) {
      if (!stored_for(rule, missing_[i]).empty()) found.push_back(missing_[i]);
    }
    return found;
  }

  /// No other stored name becomes one of the missing.
  bool is_one_to_one(const RenameRule& rule) const {
    const std::set<std::string> wanted(missing_.begin(), missing_.end());
    const auto hits = std::count_if(surplus_.begin(), surplus_.end(), [&](const auto& name) {
      return wanted.contains(mxnet::rename(name, {rule}));
    });
    return static_cast<std::size_t>(hits) == missing_.size();
  }

  /// The rules between one missing name and any stored one.
  std::vector<RenameRule> rules_for(const std::string& wanted) const {
    std::map<std::string, RenameRule> rules;
    for (const auto& stored : surplus_) {
      if (!may_be_same(stored, wanted)) continue;
      RenameRule rule = rule_between(stored, wanted);
      if (is_plausible(rule)) rules.emplace(text_of(rule), rule);
    }
    std::vector<RenameRule> found;
    for (auto& [text, rule] : rules) found.push_back(std::move(rule));
    return found;
  }

  /// The rules that have a stored name for every missing one.
  std::vector<RenameRule> rules_for_all() const {
    std::vector<RenameRule> found;
    if (missing_.empty() || surplus_.size() > kMostSurplus) return found;
    for (auto& rule : rules_for(missing_.front())) {
      // One name is like another by chance.
      if (missing_.size() == 1 && !is_statistics_rule(rule)) continue;
      const bool all = std::all_of(missing_.begin(), missing_.end(), [&](const auto& name) {
        return !stored_for(rule, name).empty();
      });
      if (all && is_one_to_one(rule)) found.push_back(std::move(rule));
    }
    return found;
  }

 private:
  const std::vector<std::string>& missing_;
  const std::vector<std::string>& surplus_;
  std::set<std::string> surplus_set_;
};

// Whether inference agrees with the shapes of the parameters as they are bound.
bool shapes_agree(Model& model, const ConvertOptions& options) {
  DimArena arena;
  std::vector<SizeSolution> fixed;
  // Where nothing can be attempted, the conversion itself will say what does not fit.
  if (!kCanAttempt) return true;
  const auto error = attempt([&] {
    while (fixed.size() < kMostFixedSizes) {
      declare_types(model, options, TrainedShapes::kAll, fixed, arena);
      const InferResult result = infer_types(model, arena, {.allow_unknown = true});
      if (!result.fixed) break;
      fixed.push_back(result.fixed->solution);
      if (fixed.back().multiple != 0) arena.assume(*fixed.back().atom, fixed.back().size);
    }
  });
  if (error && error->code() != ErrorCode::kModel) fail_again(*error);
  return !error;
}

// Variables may share a name.
std::vector<std::string> names_of(const Model& model, const std::vector<std::size_t>& nodes) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto index : nodes) {
    const std::string& name = model.symbol.nodes[index].name;
    if (seen.insert(name).second) names.push_back(name);
  }
  return names;
}

using Binding = std::vector<std::pair<std::size_t, std::string>>;  // node, stored name

Binding binding_of(const Model& model, const RenameRule& rule, const Matcher& matcher,
                   const std::vector<std::size_t>& missing, const ConvertOptions& options) {
  Binding binding;
  const std::set<std::size_t> missing_set(missing.begin(), missing.end());
  const auto is_given = [&](const std::string& name) {
    return std::any_of(options.inputs.begin(), options.inputs.end(),
                       [&](const InputSpec& spec) { return spec.name == name; });
  };
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const std::string& name = model.symbol.nodes[i].name;
    const bool is_missing = missing_set.contains(i);
    const bool is_input = model.nodes[i].role == VariableRole::kInput && !is_given(name);
    if (!is_missing && !is_input) continue;
    if (auto stored = matcher.stored_for(rule, name); !stored.empty())
      binding.emplace_back(i, std::move(stored));
  }
  return binding;
}

void apply_binding(Model& model, const Binding& binding, const mxnet::ParameterSet& params) {
  for (const auto& [index, stored] : binding) {
    model.nodes[index].role = VariableRole::kParameter;
    model.nodes[index].data = *params.find(stored);
  }
}

}  // namespace

std::set<std::string> bind_by_rule(Model& model, const mxnet::ParameterSet& params,
                                   const ConvertOptions& options,
                                   const std::vector<std::size_t>& missing, Report& report) {
  const auto surplus = surplus_names(model, params);
  const auto names = names_of(model, missing);
  const Matcher matcher(names, surplus);
  const auto rules = matcher.rules_for_all();
  if (rules.empty() || rules.size() > kMostTrials) return {};

  const auto roles = model.nodes;
  std::vector<std::pair<RenameRule, Binding>> fitting;
  for (const auto& rule : rules) {
    auto binding = binding_of(model, rule, matcher, missing, options);
    apply_binding(model, binding, params);
    if (shapes_agree(model, options)) fitting.emplace_back(rule, std::move(binding));
    model.nodes = roles;
  }
  if (fitting.size() != 1) return {};

  const auto& [rule, binding] = fitting.front();
  apply_binding(model, binding, params);
  std::set<std::string> taken;
  for (const auto& [index, stored] : binding) taken.insert(stored);
  const auto& [first, stored] = binding.front();
  std::string what =
      binding.size() == 1
          ? fmt::format("parameter '{}' is taken from the stored '{}'",
                        model.symbol.nodes[first].name, stored)
          : fmt::format("{} parameters are stored under other names, '{}' as '{}' for instance",
                        binding.size(), model.symbol.nodes[first].name, stored);
  report.diagnostics.push_back(
      {"W-parameters-renamed", model.symbol.nodes[first].name,
       fmt::format("{}: taken as with --rename-param '{}'", what, text_of(rule))});
  return taken;
}

std::vector<RenameRule> suggest_rules(const Model& model, const mxnet::ParameterSet& params,
                                      const std::vector<std::size_t>& missing) {
  std::vector<RenameRule> suggestions;
  const auto surplus = surplus_names(model, params);
  auto left = names_of(model, missing);
  if (surplus.size() > kMostSurplus) return suggestions;
  for (std::size_t round = 0; round < kMostGuessed && !left.empty(); ++round) {
    const Matcher matcher(left, surplus);
    const std::string wanted = left.front();
    // A rule for several is better than a name that is like this one.
    RenameRule best;
    std::size_t best_probes = 1;
    for (auto& rule : matcher.rules_for(wanted)) {
      const std::size_t probes = matcher.covered(rule, kProbes).size();
      if (probes <= best_probes) continue;
      best_probes = probes;
      best = std::move(rule);
    }
    if (best.from.empty()) {
      std::vector<std::string> alike;
      for (const auto& name : surplus) {
        if (may_be_same(name, wanted)) alike.push_back(name);
      }
      left.erase(left.begin());
      const auto like = nearest(wanted, alike, 1);
      if (!like.empty()) suggestions.push_back({like[0], wanted});
    } else {
      const auto covered = matcher.covered(best, left.size());
      const std::set<std::string> done(covered.begin(), covered.end());
      std::erase_if(left, [&](const auto& name) { return done.contains(name); });
      suggestions.push_back(std::move(best));
    }
    if (suggestions.size() == kMostSuggestions) break;
  }
  return suggestions;
}

std::vector<std::string> surplus_names(const Model& model, const mxnet::ParameterSet& params) {
  std::set<std::string> used;
  for (const auto& node : model.symbol.nodes) {
    if (node.is_variable()) used.insert(node.name);
  }
  std::vector<std::string> surplus;
  for (const auto& name : params.names()) {
    if (!used.contains(name)) surplus.push_back(name);
  }
  return surplus;
}

}  // namespace mx2onnx
