// See np_types.h.
#include "ops/linalg/np_types.h"

#include <fmt/format.h>

#include "ops/expressions/matrices.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

// Of the outputs; unknown while an input's is.
DType result_dtype(const InferContext& c) {
  DType result = DType::kFloat32;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const DType dtype = c.input(i).dtype;
    if (dtype == DType::kUnknown) return dtype;
    if (dtype != DType::kFloat32) result = DType::kFloat64;
  }
  return result;
}

}  // namespace

void infer_linalg_dtypes(InferContext& c) {
  for (std::size_t i = 0; i < c.num_outputs(); ++i) c.set_output_dtype(i, result_dtype(c));
}

void infer_linalg_dtypes_of(InferContext& c, std::initializer_list<std::size_t> outputs) {
  for (const std::size_t i : outputs) c.set_output_dtype(i, result_dtype(c));
}

bool expect_linalg_type(Translation& t) {
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const DType dtype = t.input_type(i).dtype;
    if (dtype != DType::kFloat16 && dtype != DType::kBfloat16) continue;
    t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)));
    return false;
  }
  return true;
}

Value in_result_type(Translation& t, std::size_t i) {
  return t.b.cast(t.input(i), t.output_type(0).dtype);
}

Value symmetric(Builder& b, Value x, bool lower) {
  const Dim n = b.shape(x).dims().back();
  const Value is_above = position_mask(b, "Less", n, n);
  const Value other = transposed(b, x);
  return lower ? b.where(is_above, other, x) : b.where(is_above, x, other);
}

}  // namespace mx2onnx
