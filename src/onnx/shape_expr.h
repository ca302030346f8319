// Sizes at run time: turns the Dims that inference computed into values of the graph. A number
// becomes a constant; a symbol is read from the input that has it; an expression is computed from
// those, once. A static model therefore never contains shape arithmetic.
#pragma once

#include <vector>

#include "onnx/builder.h"

namespace mx2onnx::onnx {

/// A size as an int64 tensor of shape (1,).
Value size_tensor(Builder& b, const Dim& dim);

/// Sizes as an int64 tensor of shape (n,).
Value sizes_tensor(Builder& b, const std::vector<Dim>& dims);

/// `x` with another shape of as many elements. Uses numbers where the sizes are numbers, ONNX's 0
/// and -1 where one of these is enough, and computed sizes otherwise. `x` itself if it has the
/// shape.
Value reshape(Builder& b, Value x, const Shape& target);

/// `x` broadcast to a larger shape by ONNX's rules. `x` itself if it has the shape.
Value expand(Builder& b, Value x, const Shape& target);

/// A tensor of one value in every element.
Value fill(Builder& b, DType dtype, double value, const Shape& shape);

}  // namespace mx2onnx::onnx
