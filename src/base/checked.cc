#include "base/checked.h"

#include "base/error.h"

namespace mx2onnx {
namespace {

[[noreturn]] void fail_overflow(std::int64_t a, char operation, std::int64_t b) {
  fail(ErrorCode::kModel,
       fmt::format("a size is too large: {} {} {} passes {}", a, operation, b, kLargestSize));
}

}  // namespace

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result) || !is_size_in_range(result)) fail_overflow(a, '+', b);
  return result;
}

std::int64_t checked_sub(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_sub_overflow(a, b, &result) || !is_size_in_range(result)) fail_overflow(a, '-', b);
  return result;
}

std::int64_t checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result) || !is_size_in_range(result)) fail_overflow(a, '*', b);
  return result;
}

std::int64_t floor_div_int(std::int64_t a, std::int64_t b) {
  if (b == -1) return checked_mul(a, -1);
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

}  // namespace mx2onnx
