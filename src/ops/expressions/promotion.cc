#include "ops/expressions/promotion.h"

#include <algorithm>

namespace mx2onnx {
namespace {

DType signed_of_bytes(std::size_t bytes) {
  if (bytes <= 2) return DType::kInt16;
  return bytes <= 4 ? DType::kInt32 : DType::kInt64;
}

DType wider(DType a, DType b) { return dtype_size(a) >= dtype_size(b) ? a : b; }

}  // namespace

DType promoted(DType a, DType b) {
  if (a == b || b == DType::kBool) return a;
  if (a == DType::kBool) return b;
  if (is_floating(a) && is_floating(b)) return wider(a, b);
  if (is_floating(a) || is_floating(b)) return is_floating(a) ? a : b;
  if (is_unsigned(a) == is_unsigned(b)) return wider(a, b);
  const DType with_sign = is_unsigned(a) ? b : a;
  const DType without = is_unsigned(a) ? a : b;
  if (dtype_size(with_sign) > dtype_size(without)) return with_sign;
  return signed_of_bytes(std::min<std::size_t>(2 * dtype_size(without), 8));
}

DType exact_common(DType a, DType b) {
  const DType common = promoted(a, b);
  if (!is_floating(common) || is_floating(a) == is_floating(b)) return common;
  const DType whole = is_floating(a) ? b : a;
  // A byte has 8 bits, and float16 holds whole numbers of 11, float32 of 24.
  if (whole == DType::kBool || dtype_size(whole) == 1) return common;
  return dtype_size(whole) == 2 ? wider(common, DType::kFloat32) : DType::kFloat64;
}

DType floating_for(DType dtype) {
  if (is_floating(dtype)) return dtype;
  return dtype == DType::kInt32 || dtype == DType::kInt64 ? DType::kFloat32 : DType::kFloat16;
}

}  // namespace mx2onnx
