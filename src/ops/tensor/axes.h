// What the operators have in common that reorder axes and turn them round.
#pragma once

#include <vector>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// The shapes on both sides of a transpose, each from the other.
void infer_permuted(InferContext& c, const std::vector<std::int64_t>& perm);

/// `x` with the given axes, counted from the start and each named once, turned round.
onnx::Value turned_round(onnx::Builder& b, onnx::Value x, const std::vector<std::int64_t>& axes);

}  // namespace mx2onnx
