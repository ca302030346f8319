#include "ops/expressions/ids.h"

#include "onnx/opset.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

// The largest integer up to which the type has all of them, if ONNX Runtime bounds it.
std::int64_t exact_up_to(DType dtype) {
  if (dtype == DType::kFloat32) return std::int64_t{1} << 24;
  if (dtype == DType::kFloat64) return std::int64_t{1} << 53;
  return -1;
}

}  // namespace

Value clipped_ids(Builder& b, Value ids, const Dim& size) {
  if (size.is_constant() && size.value() - 1 <= exact_up_to(b.dtype(ids))) {
    const Value bounded = onnx::clip(b, ids, 0, static_cast<double>(size.value() - 1));
    return b.cast(bounded, DType::kInt64);
  }
  const Value whole = b.cast(ids, DType::kInt64);
  const Value last = onnx::reshape(b, onnx::size_tensor(b, size - 1), Shape(std::vector<Dim>{}));
  return b.binary("Min", b.binary("Max", whole, b.int_scalar(0)), last);
}

}  // namespace mx2onnx
