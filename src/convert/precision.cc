#include "convert/precision.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "mx2onnx/printable.h"
#include "onnx/schema.h"

namespace mx2onnx {

void check_precision(const ConvertOptions& options) {
  const auto& precision = options.precision;
  if (precision != "float32" && precision != "float16" && precision != "bfloat16") {
    fail(ErrorCode::kUsage, fmt::format("precision: expected float32, float16 or bfloat16, got {}",
                                        in_quotes(precision)));
  }
  if (options.half_ports && precision != "float16")
    fail(ErrorCode::kUsage, "inputs and outputs become float16 only with --float16", "--float16");
  if (!options.keep_float32.empty() && precision == "float32" && options.weights == "float32") {
    fail(ErrorCode::kUsage, "all stays float32 without --float16, --bfloat16 or --weights",
         "leave out --keep-float32");
  }
  if (precision == "float32") return;
  if (options.weights_in_place) {
    fail(ErrorCode::kUsage,
         fmt::format("weights in {} cannot stay in the parameter file", precision),
         "leave out --weights-in-place");
  }
  const auto& cast = onnx::find_schema("Cast", options.opset)->inputs[0];
  if (precision == "bfloat16" && !cast.allows(DType::kBfloat16)) {
    fail(ErrorCode::kUsage, fmt::format("opset {} has no bfloat16", options.opset),
         "--opset 13 or higher");
  }
}

passes::HalfResult apply_precision(onnx::Graph& graph, const ConvertOptions& options) {
  if (options.precision == "float32") return {};
  return passes::to_half_precision(graph, {*dtype_from_name(options.precision), options.half_ports,
                                           options.keep_float32, options.opset});
}

void report_unmatched(const std::vector<std::string>& patterns, Report& report) {
  for (const auto& pattern : patterns) {
    report.diagnostics.push_back({"W-nothing-kept", "",
                                  fmt::format("--keep-float32 {}: no node has this name or is such "
                                              "an operator",
                                              in_quotes(pattern))});
  }
}

void report_precision(const passes::HalfResult& result, const ConvertOptions& options,
                      Report& report) {
  if (options.precision == "float32") return;
  PrecisionReport& precision = report.precision;
  precision.dtype = options.precision;
  precision.count = result.num_half;
  for (const auto& entry : result.kept)
    precision.kept.push_back({entry.op_type, std::string(entry.reason), entry.count});
  std::stable_sort(precision.kept.begin(), precision.kept.end(),
                   [](const auto& a, const auto& b) { return a.nodes > b.nodes; });
  std::vector<std::string> clamped;
  for (const auto& losses : result.losses) {
    precision.clamped += losses->clamped;
    precision.subnormal += losses->subnormal;
    if (losses->clamped > 0) clamped.push_back(losses->name);
  }
  if (!clamped.empty()) {
    const std::string others =
        clamped.size() == 1 ? "" : fmt::format(" and {} more", clamped.size() - 1);
    report.diagnostics.push_back(
        {"W-weights-clamped", clamped.front(),
         fmt::format(
             "{} elements of weights are beyond {:g}, the largest {}, which they became: of "
             "'{}'{}",
             precision.clamped, passes::largest_of(*dtype_from_name(options.precision)),
             options.precision, printable(clamped.front()), others)});
  }
  report_unmatched(result.unmatched, report);
}

}  // namespace mx2onnx
