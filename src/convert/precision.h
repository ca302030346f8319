// The half precision that the user asks for, from options to the report.
#pragma once

#include "mx2onnx/convert.h"
#include "mx2onnx/report.h"
#include "onnx/graph.h"
#include "passes/half_precision.h"

namespace mx2onnx {

/// Fails with kUsage if the options contradict each other, or the opset.
void check_precision(const ConvertOptions& options);

/// Warns of patterns of `keep_float32` that name nothing.
void report_unmatched(const std::vector<std::string>& patterns, Report& report);

/// Does to the graph what the options say; nothing where that is float32.
passes::HalfResult apply_precision(onnx::Graph& graph, const ConvertOptions& options);

/// What became of it: comes after the weights were written, which is when they are rounded. Warns
/// of weights that were clamped and of patterns that name nothing.
void report_precision(const passes::HalfResult& result, const ConvertOptions& options,
                      Report& report);

}  // namespace mx2onnx
