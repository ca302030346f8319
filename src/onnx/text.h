// A graph as text, one line per node: for tests that care about the form of a translation, and for
// people who debug one.
#pragma once

#include <string>

#include "onnx/graph.h"

namespace mx2onnx::onnx {

/// data: float32 (batch, 4)
/// fc_output = Gemm(data, fc_weight, fc_bias) transB=1
/// -> fc_output: float32 (batch, 2)
std::string to_text(const Graph& graph);

/// "[1, 1]"; a tensor's type, and how many nodes a body has.
std::string to_text(const AttrValue& value);

}  // namespace mx2onnx::onnx
