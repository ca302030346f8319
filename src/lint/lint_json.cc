// Results of lint as a JSON document.
#include "base/json.h"
#include "mx2onnx/lint.h"

namespace mx2onnx {
namespace {

JsonValue describe(const LintFinding& finding) {
  JsonArray nodes;
  for (const auto& name : finding.nodes) nodes.push_back({name});
  return {JsonObject{{"severity", {lint_word(finding.severity)}},
                     {"op", {finding.op}},
                     {"message", {finding.message}},
                     {"advice", {finding.advice}},
                     {"how", {finding.how}},
                     {"certain", {finding.certain}},
                     {"count", {static_cast<std::int64_t>(finding.count)}},
                     {"nodes", {std::move(nodes)}}}};
}

}  // namespace

std::string lint_word(LintSeverity severity) {
  switch (severity) {
    case LintSeverity::kWrong:
      return "wrong";
    case LintSeverity::kRefuse:
      return "refuse";
    case LintSeverity::kRisk:
      return "risk";
    case LintSeverity::kSlow:
      return "slow";
    default:
      return "untried";
  }
}

std::string to_json(const std::vector<LintResult>& results) {
  JsonArray list;
  for (const auto& result : results) {
    JsonArray findings;
    for (const auto& finding : result.findings) findings.push_back(describe(finding));
    list.push_back({JsonObject{{"target", {result.runtime.name}},
                               {"runtime", {result.runtime.version}},
                               {"how", {result.runtime.how}},
                               {"runs", {result.runs()}},
                               {"findings", {std::move(findings)}}}});
  }
  return json_text({std::move(list)});
}

}  // namespace mx2onnx
