#include "convert/stored_weights.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "convert/precision.h"
#include "mx2onnx/printable.h"
#include "onnx/builder.h"
#include "onnx/kernels.h"

namespace mx2onnx {
namespace {

constexpr int kFirstOpsetOfBlocks = 21;

bool is_asked_for(const ConvertOptions& options) { return options.weights != "float32"; }

double relative(double squared_errors, double squares) {
  return squares > 0 ? std::sqrt(squared_errors / squares) : 0;
}

}  // namespace

void check_stored_weights(const ConvertOptions& options) {
  const auto& weights = options.weights;
  if (weights != "float32" && weights != "int8" && weights != "int4") {
    fail(ErrorCode::kUsage,
         fmt::format("weights: expected float32, int8 or int4, got {}", in_quotes(weights)));
  }
  if (options.weights_operator != "DequantizeLinear" && options.weights_operator != "MatMulNBits") {
    fail(ErrorCode::kUsage,
         fmt::format("weights operator: expected DequantizeLinear or MatMulNBits, got {}",
                     in_quotes(options.weights_operator)));
  }
  const auto block = options.weights_block;
  if (block != 16 && block != 32 && block != 64 && block != 128 && block != 256) {
    fail(ErrorCode::kUsage,
         fmt::format("weights block: expected 16, 32, 64, 128 or 256, got {}", block));
  }
  if (!is_asked_for(options)) {
    const ConvertOptions otherwise;
    if (options.weights_operator != otherwise.weights_operator)
      fail(ErrorCode::kUsage, "weights stay float32 without --weights", "--weights int4");
    if (block != otherwise.weights_block)
      fail(ErrorCode::kUsage, "weights stay float32 without --weights", "--weights int4");
    return;
  }
  if (options.precision != "float32") {
    fail(ErrorCode::kUsage,
         fmt::format("weights in {} are those of a model that computes in float32", weights),
         fmt::format("leave out --{}", options.precision));
  }
  if (options.weights_in_place) {
    fail(ErrorCode::kUsage, fmt::format("weights in {} cannot stay in the parameter file", weights),
         "leave out --weights-in-place");
  }
}

std::pair<int, int> opsets_of_blocks(const ConvertOptions& options) {
  if (!is_asked_for(options)) return {kFirstOpset, kLastOpset};
  int last = kLastOpset;
  onnx::Graph graph;
  while (!onnx::runs_quantize_linear(onnx::Builder(graph, last))) --last;
  return {kFirstOpsetOfBlocks, last};
}

void expect_blocks(const ConvertOptions& options) {
  const auto [first, last] = opsets_of_blocks(options);
  if (options.opset < first) {
    fail(ErrorCode::kUnsupported,
         fmt::format("opset {} has no weights in blocks, as --weights {} stores them",
                     options.opset, options.weights),
         fmt::format("--opset {} or higher", first));
  }
  if (options.opset > last) {
    fail(ErrorCode::kUnsupported,
         fmt::format("ONNX Runtime has no kernels of DequantizeLinear at opset {}, as --weights {} "
                     "writes it",
                     options.opset, options.weights),
         fmt::format("--opset {} or below", last));
  }
}

passes::WeightsResult apply_stored_weights(onnx::Graph& graph, const ConvertOptions& options) {
  if (!is_asked_for(options)) return {};
  return passes::store_in_blocks(graph,
                                 {options.weights == "int8" ? 8 : 4, options.weights_block,
                                  options.weights_operator == "MatMulNBits", options.keep_float32});
}

void report_stored_weights(const passes::WeightsResult& result, const ConvertOptions& options,
                           Report& report) {
  if (!is_asked_for(options)) return;
  WeightsReport& weights = report.weights;
  weights.dtype = options.weights;
  weights.block = options.weights_block;
  weights.count = result.losses.size();
  double squares = 0;
  double squared_errors = 0;
  std::string not_finite;
  for (const auto& losses : result.losses) {
    weights.bytes_before += losses->bytes_before;
    weights.bytes_after += losses->bytes_after;
    squares += losses->squares;
    squared_errors += losses->squared_errors;
    const double difference = relative(losses->squared_errors, losses->squares);
    if (difference > weights.largest_difference) {
      weights.largest_difference = difference;
      weights.largest_difference_of = losses->name;
    }
    weights.not_finite += losses->not_finite;
    if (losses->not_finite > 0 && not_finite.empty()) not_finite = losses->name;
  }
  weights.difference = relative(squared_errors, squares);
  for (const auto& entry : result.left)
    weights.left.push_back({entry.op_type, std::string(entry.reason), entry.count, entry.bytes});
  std::stable_sort(weights.left.begin(), weights.left.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  if (weights.not_finite > 0) {
    report.diagnostics.push_back(
        {"W-weights-not-finite", not_finite,
         fmt::format("{} elements of weights are not finite, which {} does not hold: NaN became 0, "
                     "infinities the largest number of their block; the first of them are of '{}'",
                     weights.not_finite, weights.dtype, printable(not_finite))});
  }
  report_unmatched(result.unmatched, report);
}

}  // namespace mx2onnx
