// What eval.h computes of small constants alone, element by element in memory: positions and masks.
#pragma once

#include <optional>
#include <vector>

#include "ir/tensor.h"
#include "onnx/graph.h"

namespace mx2onnx::onnx {

/// Comparisons, Not, Max, Min and Clip of numbers, Range of int64, and Cast of float to integers;
/// nothing for other nodes, for many elements, and where languages do it differently (NaN, numbers
/// that the type does not have).
std::optional<Tensor> evaluate_small(const Node& node, const std::vector<const Tensor*>& inputs);

}  // namespace mx2onnx::onnx
