// Computes the output of an ONNX node from constant inputs, for the operators where the result does
// not depend on who computes it: data movement, integer arithmetic, comparisons, and the
// floating-point operations that IEEE 754 rounds exactly (+ - * / sqrt).
#pragma once

#include <optional>
#include <vector>

#include "ir/tensor.h"
#include "onnx/graph.h"

namespace mx2onnx::onnx {

/// The output of a node with one output; a large one is made while it is read (ir/computed.h), of
/// the inputs' data, which it keeps; `inputs` has a null for an input that is absent. Nothing
/// if the node is not of a kind that is evaluated here.
std::optional<Tensor> evaluate(const Node& node, const std::vector<const Tensor*>& inputs);

}  // namespace mx2onnx::onnx
