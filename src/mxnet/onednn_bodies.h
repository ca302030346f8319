// Subgraphs of oneDNN's fused operators that MXNet 2.0 saves without one.
#pragma once

#include <optional>

#include "mxnet/symbol.h"

namespace mx2onnx::mxnet {

/// What the node computes if it is not quantised, from its data inputs; nothing for an operator
/// that has a subgraph in the file.
std::optional<Symbol> onednn_body(const Node& node);

}  // namespace mx2onnx::mxnet
