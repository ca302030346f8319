// The last look at a graph before it is written: names are unique, every value is made before it is
// used and made once, outputs exist.
#pragma once

#include "onnx/graph.h"

namespace mx2onnx::onnx {

/// Fails with kInternal if the graph is not well-formed; what operators take is checked when they
/// are emitted.
void check_graph(const Graph& graph);

}  // namespace mx2onnx::onnx
