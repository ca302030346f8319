// The weights as int8 or int4 that the user asks for, from options to the report.
#pragma once

#include <utility>

#include "mx2onnx/convert.h"
#include "mx2onnx/report.h"
#include "onnx/graph.h"
#include "passes/weights_only.h"

namespace mx2onnx {

/// Fails with kUsage if the options contradict each other.
void check_stored_weights(const ConvertOptions& options);

/// Fails with kUnsupported if the opset has no blocks, or ONNX Runtime no kernels for it.
void expect_blocks(const ConvertOptions& options);

/// The lowest and the highest opset from which `expect_blocks` passes these options.
std::pair<int, int> opsets_of_blocks(const ConvertOptions& options);

/// Does to the graph what the options say; nothing where that is float32.
passes::WeightsResult apply_stored_weights(onnx::Graph& graph, const ConvertOptions& options);

/// What became of it: comes after the weights were written, which is when they are rounded. Warns
/// of elements that are not finite.
void report_stored_weights(const passes::WeightsResult& result, const ConvertOptions& options,
                           Report& report);

}  // namespace mx2onnx
