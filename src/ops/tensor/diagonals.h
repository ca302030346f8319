// What the operators of diagonals have in common.
#pragma once

#include "ops/record/op_def.h"

namespace mx2onnx {

constexpr const char* kDiagonalHelp = "which diagonal; above 0 the upper ones";

/// How many elements diagonal `k` has; below 0 if it lies beside the matrix.
Dim diagonal_length(const Dim& rows, const Dim& columns, std::int64_t k);

/// A matrix of the shape `result` with the vector on diagonal `k`.
onnx::Value matrix_of_diagonal(onnx::Builder& b, std::int64_t k, onnx::Value vector,
                               const Shape& result);

/// Diagonal `k` of the matrices that two axes are; it is the last axis of `result`.
onnx::Value diagonal_of(onnx::Builder& b, onnx::Value x, std::int64_t k, std::size_t rows,
                        std::size_t columns, const Shape& result);

}  // namespace mx2onnx
