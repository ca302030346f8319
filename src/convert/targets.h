// `convert --target`: what the runtimes that a model is for want of it.
#pragma once

#include <vector>

#include "mx2onnx/convert.h"
#include "onnx/graph.h"
#include "onnx/writer.h"

namespace mx2onnx {

/// The options with an opset that all targets take, unless one was asked for, and with fixed sizes
/// where free ones cost one of them something. Fails with kUsage if there is no such runtime, or
/// no opset that all of them take.
ConvertOptions with_targets(const ConvertOptions& options);

/// Spells otherwise what a target gets wrong; the passes that did, with their changes.
std::vector<std::pair<std::string, std::size_t>> spell_for_targets(onnx::Graph& graph,
                                                                   const ConvertOptions& options);

/// Says what remains that a target refuses or gets wrong.
void lint_for_targets(const onnx::Graph& graph, const onnx::ModelInfo& info,
                      const ConvertOptions& options, std::vector<Diagnostic>& diagnostics);

}  // namespace mx2onnx
