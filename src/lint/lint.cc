// See mx2onnx/lint.h.
#include "mx2onnx/lint.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_set>

#include "base/attempt.h"
#include "base/error.h"
#include "base/interruption.h"
#include "base/mapped_file.h"
#include "base/mapping_faults.h"
#include "lint/condition.h"
#include "lint/facts.h"
#include "lint/rules.h"
#include "onnx/reader.h"

namespace mx2onnx {
namespace {

using lint::Answer;
using lint::Effect;
using lint::Facts;
using lint::Rule;
using lint::Runtime;

constexpr std::size_t kMostNames = 10;

LintRuntime describe(const Runtime& runtime) {
  return {runtime.name, runtime.version, runtime.how, runtime.first_opset, runtime.last_opset};
}

LintSeverity severity_of(Effect effect) {
  if (effect == Effect::kWrong) return LintSeverity::kWrong;
  if (effect == Effect::kRisk) return LintSeverity::kRisk;
  return effect == Effect::kSlow ? LintSeverity::kSlow : LintSeverity::kRefuse;
}

/// Applies a runtime's rules to all nodes of a model.
class Linter {
 public:
  Linter(const onnx::StoredModel& model, const Runtime& runtime)
      : model_(model), runtime_(runtime) {
    for (const auto& [domain, version] : model.opsets) {
      if (domain.empty() || domain == "ai.onnx")
        opset_ = static_cast<int>(std::clamp<std::int64_t>(version, 0, 1000));
    }
    for (const auto& input : model.inputs) model_inputs_.insert(input.name);
    knows_what_runs_ = std::any_of(runtime.rules.begin(), runtime.rules.end(),
                                   [](const Rule& rule) { return rule.effect == Effect::kRuns; });
  }

  LintResult run() {
    check_opset();
    check_model();
    visit(model_, nullptr);
    LintResult result{describe(runtime_), {}};
    for (auto& [key, finding] : findings_) result.findings.push_back(std::move(finding));
    std::stable_sort(
        result.findings.begin(), result.findings.end(),
        [](const LintFinding& a, const LintFinding& b) { return a.severity < b.severity; });
    return result;
  }

 private:
  void check_opset() {
    if (opset_ >= runtime_.first_opset && opset_ <= runtime_.last_opset) return;
    LintFinding finding;
    finding.message = fmt::format("opset {}: it takes {} to {}", opset_, runtime_.first_opset,
                                  runtime_.last_opset);
    finding.advice = fmt::format("convert with --opset {}", runtime_.best_opset);
    finding.how = runtime_.how;
    findings_.emplace(Key{"", finding.message, true}, std::move(finding));
  }

  // Rules of the model as a whole: a node that takes its inputs and gives its outputs.
  void check_model() {
    onnx::StoredNode whole;
    for (const auto& input : model_.inputs) whole.inputs.push_back(input.name);
    for (const auto& output : model_.outputs) whole.outputs.push_back(output.name);
    const Facts facts(model_, nullptr, opset_);
    const lint::NodeView view{whole, facts, opset_, false, model_inputs_};
    for (const auto& rule : runtime_.rules) {
      if (rule.operators.front() != lint::kWholeModel) continue;
      const Answer answer = holds(rule, view);
      if (answer == Answer::kNo) continue;
      const bool is_certain = answer == Answer::kYes;
      LintFinding finding{
          severity_of(rule.effect), "", rule.message, rule.advice, rule.how, is_certain, 0, {}};
      findings_.emplace(Key{"", rule.message, is_certain}, std::move(finding));
    }
  }

  void visit(const onnx::StoredGraph& graph, const Facts* around) {
    const Facts facts(graph, around, opset_);
    for (const auto& node : graph.nodes) {
      interruption_point();
      check(node, facts, around != nullptr);
      // As deep as the reader let graphs be nested.
      for (const auto& attribute : node.attributes) {
        for (const auto& inner : attribute.graphs) visit(inner, &facts);
      }
    }
  }

  void check(const onnx::StoredNode& node, const Facts& facts, bool is_inner) {
    const lint::NodeView view{node, facts, opset_, is_inner, model_inputs_};
    const bool is_onnx = node.domain.empty() || node.domain == "ai.onnx";
    const std::string op =
        is_onnx ? std::string(node.op_type) : fmt::format("{}/{}", node.domain, node.op_type);
    bool was_tried = false;
    bool was_tried_otherwise = false;
    bool is_refused = false;
    for (const auto& rule : runtime_.rules) {
      if (!rule.is_for(op)) continue;
      const Answer answer = holds(rule, view);
      if (rule.effect == Effect::kRuns) {
        (answer == Answer::kNo ? was_tried_otherwise : was_tried) = true;
        continue;
      }
      if (answer == Answer::kNo) continue;
      is_refused = is_refused || rule.effect != Effect::kSlow;
      add(severity_of(rule.effect), op, rule.message, rule, answer == Answer::kYes, node);
    }
    // Of a runtime whose rows say nothing of what runs, nothing is known to be untried.
    if (was_tried || is_refused || !knows_what_runs_) return;
    static const Rule no_rule{.operators = {}, .how = "no row of the table says that it runs"};
    const std::string what =
        !is_onnx              ? "is not ONNX's; whether it runs depends on what is registered"
        : was_tried_otherwise ? "was tried, but not like this" + type_text(node, facts)
                              : "was not tried";
    add(LintSeverity::kUntried, op, what, no_rule, true, node);
  }

  static std::string type_text(const onnx::StoredNode& node, const Facts& facts) {
    const auto* first = node.inputs.empty() ? nullptr : facts.find(node.inputs[0]);
    if (first == nullptr || first->dtype == 0) return "";
    std::string text = fmt::format(": {}", lint::type_name(first->dtype));
    if (first->shape)
      text += fmt::format(", {} dimension{}", first->shape->size(),
                          first->shape->size() == 1 ? "" : "s");
    return text;
  }

  void add(LintSeverity severity, const std::string& op, const std::string& message,
           const Rule& rule, bool is_certain, const onnx::StoredNode& node) {
    LintFinding& finding = findings_[Key{op, message, is_certain}];
    finding.severity = severity;
    finding.op = op;
    finding.message = message;
    finding.advice = rule.advice;
    finding.how = rule.how;
    finding.certain = is_certain;
    ++finding.count;
    if (finding.nodes.size() >= kMostNames) return;
    const bool has_name = !node.name.empty() || node.outputs.empty();
    finding.nodes.emplace_back(has_name ? node.name : node.outputs[0]);
  }

  using Key = std::tuple<std::string, std::string, bool>;
  const onnx::StoredModel& model_;
  const Runtime& runtime_;
  int opset_ = 0;
  bool knows_what_runs_ = false;
  std::unordered_set<std::string_view> model_inputs_;
  std::map<Key, LintFinding> findings_;
};

std::vector<const Runtime*> chosen(const std::vector<std::string>& targets) {
  std::vector<const Runtime*> result;
  for (const auto& name : targets) {
    const Runtime* runtime = &lint::find_runtime(name);
    if (std::find(result.begin(), result.end(), runtime) == result.end()) result.push_back(runtime);
  }
  if (targets.empty()) {
    for (const auto& runtime : lint::runtimes()) result.push_back(&runtime);
  }
  return result;
}

}  // namespace

bool LintResult::runs() const {
  return std::none_of(findings.begin(), findings.end(), [](const LintFinding& finding) {
    const bool is_problem =
        finding.severity == LintSeverity::kWrong || finding.severity == LintSeverity::kRefuse;
    return is_problem && finding.certain;
  });
}

std::vector<LintRuntime> lint_runtimes() {
  std::vector<LintRuntime> result;
  for (const auto& runtime : lint::runtimes()) result.push_back(describe(runtime));
  return result;
}

std::vector<LintResult> lint_model(std::span<const std::byte> model, const std::string& name,
                                   const std::vector<std::string>& targets) {
  const ErrorScope scope = ErrorScope::file(name);
  const auto runtimes = chosen(targets);
  const onnx::StoredModel stored = onnx::read_model(model);
  std::vector<LintResult> results;
  for (const Runtime* runtime : runtimes) results.push_back(Linter(stored, *runtime).run());
  return results;
}

std::vector<LintResult> lint_file(const std::filesystem::path& file,
                                  const std::vector<std::string>& targets) {
  chosen(targets);  // a name that is wrong is wrong of any file
  return with_system_errors(file.native(), [&] {
    const auto mapped = MappedFile::open(file.native());
    auto results = lint_model(mapped->bytes(), file.native(), targets);
    fail_if_shrunk();
    return results;
  });
}

}  // namespace mx2onnx
