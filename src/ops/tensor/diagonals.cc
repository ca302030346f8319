// See diagonals.h.
#include "ops/tensor/diagonals.h"

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

Dim diagonal_length(const Dim& rows, const Dim& columns, std::int64_t k) {
  return min(k < 0 ? rows + k : rows, k > 0 ? columns - k : columns);
}

Value matrix_of_diagonal(Builder& b, std::int64_t k, Value vector, const Shape& result) {
  const Dim size = b.shape(vector)[0];
  if (size == Dim(0)) return onnx::fill(b, b.dtype(vector), 0, result);
  const Value places = counting(b, result[0]);
  const Value rows = onnx::unsqueeze(b, places, {1});
  const Value columns = onnx::unsqueeze(b, places, {0});
  const Value hit = b.binary("Equal", b.add(rows, b.int_scalar(k)), columns);
  // The element is found by its row, or by its column if the diagonal is a lower one.
  const Value known = b.binary("Min", k < 0 ? columns : rows, onnx::size_tensor(b, size - 1));
  const DType dtype = b.dtype(vector);
  const DType compute = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  const Value elements = b.cast(b.gather(vector, known, 0), compute);
  return b.cast(b.where(hit, elements, b.scalar(compute, 0)), dtype);
}

Value diagonal_of(Builder& b, Value x, std::int64_t k, std::size_t rows, std::size_t columns,
                  const Shape& result) {
  const Shape from = b.shape(x);
  onnx::Ints perm;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (i != rows && i != columns) perm.push_back(static_cast<std::int64_t>(i));
  }
  perm.push_back(static_cast<std::int64_t>(rows));
  perm.push_back(static_cast<std::int64_t>(columns));
  std::vector<Dim> flat(result.dims().begin(), result.dims().end() - 1);
  flat.push_back(from[rows] * from[columns]);
  const Value matrices = onnx::reshape(b, b.transpose(x, perm), Shape(std::move(flat)));
  const Dim& width = from[columns];
  const Dim first = k < 0 ? width * -k : Dim(k);
  const Value places =
      b.add(b.mul(counting(b, result.dims().back()), onnx::size_tensor(b, width + 1)),
            onnx::size_tensor(b, first));
  return b.gather(matrices, places, static_cast<std::int64_t>(result.rank()) - 1);
}

}  // namespace mx2onnx
