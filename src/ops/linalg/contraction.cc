// See contraction.h.
#include "ops/linalg/contraction.h"

#include <algorithm>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

std::vector<std::int64_t> permutation(const std::vector<std::size_t>& first,
                                      const std::vector<std::size_t>& second) {
  std::vector<std::int64_t> perm(first.begin(), first.end());
  perm.insert(perm.end(), second.begin(), second.end());
  return perm;
}

// The axes from `begin` on, `count` of them, as one.
Value merged(Builder& b, Value x, std::size_t begin, std::size_t count) {
  if (count == 1) return x;
  const auto& dims = b.shape(x).dims();
  const auto at = [&](std::size_t i) { return dims.begin() + static_cast<std::ptrdiff_t>(i); };
  std::vector<Dim> result(at(0), at(begin));
  result.push_back(b.shape(x).count(begin, begin + count));
  result.insert(result.end(), at(begin + count), dims.end());
  return onnx::reshape(b, x, Shape(std::move(result)));
}

}  // namespace

std::vector<std::size_t> other_axes(std::size_t rank, const std::vector<std::size_t>& axes) {
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < rank; ++i) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) others.push_back(i);
  }
  return others;
}

void infer_contraction(InferContext& c, const ContractedAxes& axes, bool sizes_match) {
  const Shape lhs = c.input_shape(0);
  const Shape rhs = c.input_shape(1);
  if (sizes_match) {
    Shape left = Shape::unknown_dims(lhs.rank());
    Shape right = Shape::unknown_dims(rhs.rank());
    for (std::size_t i = 0; i < axes.left.size(); ++i) {
      left[axes.left[i]] = rhs[axes.right[i]];
      right[axes.right[i]] = lhs[axes.left[i]];
    }
    c.set_input_shape(0, left);
    c.set_input_shape(1, right);
  }
  std::vector<Dim> dims;
  for (const std::size_t i : other_axes(lhs.rank(), axes.left)) dims.push_back(lhs[i]);
  for (const std::size_t i : other_axes(rhs.rank(), axes.right)) dims.push_back(rhs[i]);
  c.set_output_shape(0, Shape(std::move(dims)));
}

Value contract(Builder& b, Value left, Value right, const ContractedAxes& axes,
               const Shape& result) {
  const std::size_t count = axes.left.size();
  const auto left_free = other_axes(b.shape(left).rank(), axes.left);
  const auto right_free = other_axes(b.shape(right).rank(), axes.right);
  const DType dtype = b.dtype(left);
  // Left as (free…, contracted), right as (contracted, free).
  left = b.transpose(left, permutation(left_free, axes.left));
  left = merged(b, left, left_free.size(), count);
  if (left_free.empty()) left = onnx::unsqueeze(b, left, {0});
  right = merged(b, b.transpose(right, permutation(axes.right, right_free)), 0, count);
  if (left_free.empty() && right_free.empty()) {
    return onnx::reshape(b, b.emit("MatMul", {left, right}, {}, {dtype, Shape{Dim(1)}}), result);
  }
  // A vector becomes a column: ONNX Runtime fuses a transposition of the left side, whoever made
  // it, with the product, and is wrong then for a vector.
  right =
      right_free.empty() ? onnx::unsqueeze(b, right, {1}) : merged(b, right, 1, right_free.size());
  // ONNX's MatMul takes any number of axes on the left of a matrix.
  auto dims = b.shape(left).dims();
  dims.back() = b.shape(right)[1];
  const Value product = b.emit("MatMul", {left, right}, {}, {dtype, Shape(std::move(dims))});
  return onnx::reshape(b, product, result);
}

}  // namespace mx2onnx
