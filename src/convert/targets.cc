// See targets.h.
#include "convert/targets.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/byte_sink.h"
#include "base/error.h"
#include "lint/rules.h"
#include "mx2onnx/lint.h"
#include "passes/target_spellings.h"

namespace mx2onnx {
namespace {

std::string names_of(const std::vector<std::string>& targets) {
  std::string text;
  for (const auto& name : targets) text += (text.empty() ? "" : " and ") + name;
  return text;
}

struct Spelling {
  const char* name;
  std::vector<std::string_view> targets;  ///< That it is for.
  std::size_t (*run)(onnx::Graph& graph);
};

const std::vector<Spelling>& spellings() {
  static const std::vector<Spelling> list = {
      {"pad_before_average_pool", {"opencv4"}, passes::pad_before_average_pool},
      {"spell_out_batch_norm", {"mnn"}, passes::spell_out_batch_norm},
  };
  return list;
}

const char* verb_of(LintSeverity severity) {
  switch (severity) {
    case LintSeverity::kWrong:
      return "gets this wrong";
    case LintSeverity::kRefuse:
      return "refuses this";
    case LintSeverity::kRisk:
      return "may get this wrong";
    case LintSeverity::kSlow:
      return "is slow at this";
    default:
      return "was not tried with this";
  }
}

Diagnostic warning_of(const std::string& target, const LintFinding& finding) {
  std::string text = fmt::format("{} {}{}: ", target, finding.certain ? "" : "perhaps ",
                                 verb_of(finding.severity));
  if (!finding.op.empty()) text += finding.op + ": ";
  text += finding.message;
  if (!finding.nodes.empty()) {
    text += fmt::format(" ('{}'", finding.nodes[0]);
    if (finding.count > 1) text += fmt::format(" and {} more", finding.count - 1);
    text += ")";
  }
  if (!finding.advice.empty()) text += "; " + finding.advice;
  return {"W-target-" + lint_word(finding.severity), finding.nodes.empty() ? "" : finding.nodes[0],
          std::move(text)};
}

}  // namespace

ConvertOptions with_targets(const ConvertOptions& options) {
  if (options.targets.empty()) return options;
  ConvertOptions result = options;
  int first = kFirstOpset;
  int last = kLastOpset;
  int best = kLastOpset;
  for (const auto& name : options.targets) {
    const lint::Runtime& runtime = lint::find_runtime(name);
    first = std::max(first, runtime.first_opset);
    last = std::min(last, runtime.last_opset);
    best = std::min(best, runtime.best_opset);
    result.fixed_sizes = result.fixed_sizes || runtime.wants_fixed_sizes;
    // It gets a HardSigmoid behind a convolution wrong (MobileNet v3: 0.2 off).
    if (name == "opencv4") result.disabled_passes.emplace_back("name_hard_activations");
  }
  if (first > last) {
    fail(ErrorCode::kUsage,
         fmt::format("target: there is no opset that {} take", names_of(options.targets)),
         "a model for each of them");
  }
  if (options.raise_opset) result.opset = std::clamp(best, first, last);
  return result;
}

std::vector<std::pair<std::string, std::size_t>> spell_for_targets(onnx::Graph& graph,
                                                                   const ConvertOptions& options) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const auto& spelling : spellings()) {
    const bool is_for =
        std::any_of(spelling.targets.begin(), spelling.targets.end(), [&](std::string_view target) {
          return std::find(options.targets.begin(), options.targets.end(), target) !=
                 options.targets.end();
        });
    if (is_for) counts.emplace_back(spelling.name, spelling.run(graph));
  }
  return counts;
}

void lint_for_targets(const onnx::Graph& graph, const onnx::ModelInfo& info,
                      const ConvertOptions& options, std::vector<Diagnostic>& diagnostics) {
  if (options.targets.empty()) return;
  // Weights of some size are of no interest, and stay where they are.
  onnx::ModelWriter writer(graph, info);
  writer.use_data_file("weights");
  MemorySink sink;
  writer.write(sink);
  const std::string model = sink.take();
  for (const auto& result : lint_model(std::as_bytes(std::span(model)), "model", options.targets)) {
    for (const auto& finding : result.findings)
      diagnostics.push_back(warning_of(result.runtime.name, finding));
  }
}

}  // namespace mx2onnx
