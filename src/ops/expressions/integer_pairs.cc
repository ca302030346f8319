// Element-wise functions of two arrays of integers: bits, shifts and divisors, with what MXNet
// gives at the ends of the ranges (src/operator/mshadow_op.h).
#include <cmath>

#include "onnx/opset.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;

Value wide(Builder& b, Value x) { return b.cast(x, DType::kInt64); }

int bits_of(DType dtype) { return static_cast<int>(8 * dtype_size(dtype)); }

// 1, 2, 4, …; the last one of 64 is the least int64.
Value powers_of_2(Builder& b, int count) {
  Ints powers;
  for (int i = 0; i < count; ++i) {
    powers.push_back(static_cast<std::int64_t>(std::uint64_t{1} << static_cast<unsigned>(i)));
  }
  return b.ints(powers);
}

// x, divided by positive powers of 2 and floored.
Value shifted_right(Builder& b, Value x, Value powers) {
  return b.div(b.sub(x, b.binary("Mod", x, powers)), powers);
}

// 0 and 1 along a new last axis, the lowest bit first.
Value bits(Builder& b, Value x) {
  const int count = bits_of(b.dtype(x));
  const auto rank = static_cast<std::int64_t>(b.shape(x).rank());
  const Value column = onnx::unsqueeze(b, wide(b, x), {rank});
  const Value low =
      b.binary("Mod", shifted_right(b, column, powers_of_2(b, std::min(count, 63))), b.ints({2}));
  if (count < 64) return low;
  const Value sign = wide(b, b.binary("Less", column, b.int_scalar(0)));
  return b.concat({low, sign}, rank);
}

// The sum over the last axis by a product of matrices, whose int64 sums are exact in ONNX Runtime.
Value from_bits(Builder& b, Value bits, DType dtype) {
  const Shape& shape = b.shape(bits);
  const std::size_t last = shape.rank() - 1;
  const std::int64_t count = shape[last].value();
  const Value powers = powers_of_2(b, static_cast<int>(count));
  std::vector<Dim> dims = shape.dims();
  dims.pop_back();
  const Value sums = b.emit("MatMul", {bits, powers}, {}, {DType::kInt64, Shape(std::move(dims))});
  return b.cast(sums, dtype);
}

// Opsets before 18 know bits of bool alone.
Value bitwise(Builder& b, std::string_view op_type, Value lhs, Value rhs,
              Value (*of_bits)(Builder& b, Value x, Value y)) {
  if (b.has(op_type)) return b.binary(op_type, lhs, rhs);
  return from_bits(b, of_bits(b, bits(b, lhs), bits(b, rhs)), b.dtype(lhs));
}

Value bitwise_and(Builder& b, Value lhs, Value rhs) {
  return bitwise(b, "BitwiseAnd", lhs, rhs,
                 [](Builder& b, Value x, Value y) { return b.mul(x, y); });
}
Value bitwise_or(Builder& b, Value lhs, Value rhs) {
  return bitwise(b, "BitwiseOr", lhs, rhs,
                 [](Builder& b, Value x, Value y) { return b.binary("Max", x, y); });
}
Value bitwise_xor(Builder& b, Value lhs, Value rhs) {
  return bitwise(b, "BitwiseXor", lhs, rhs,
                 [](Builder& b, Value x, Value y) { return b.unary("Abs", b.sub(x, y)); });
}

Value and_of_bools(Builder& b, Value lhs, Value rhs) { return b.binary("And", lhs, rhs); }
Value or_of_bools(Builder& b, Value lhs, Value rhs) { return b.binary("Or", lhs, rhs); }
Value xor_of_bools(Builder& b, Value lhs, Value rhs) { return b.binary("Xor", lhs, rhs); }

Value is_between(Builder& b, Value x, std::int64_t first, std::int64_t last) {
  return b.binary("And", b.binary("GreaterOrEqual", x, b.int_scalar(first)),
                  b.binary("LessOrEqual", x, b.int_scalar(last)));
}

// 2^x where x is between 0 and `last`, something else elsewhere.
Value power_of_2(Builder& b, Value x, int last) {
  return b.gather(powers_of_2(b, last + 1), onnx::clip(b, x, 0, last), 0);
}

// By as many bits as there are, or by less than none, everything is shifted out.
Value left_shift(Builder& b, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  const int last = bits_of(dtype) - 1;
  const Value distance = wide(b, rhs);
  const Value shifted = b.mul(wide(b, lhs), power_of_2(b, distance, last));
  return b.cast(b.where(is_between(b, distance, 0, last), shifted, b.int_scalar(0)), dtype);
}

Value right_shift(Builder& b, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  // By 63 bits only the sign is left, too.
  const int last = std::min(bits_of(dtype) - 1, 62);
  const Value x = wide(b, lhs);
  const Value distance = wide(b, rhs);
  const Value shifted = shifted_right(b, x, power_of_2(b, distance, last));
  const Value sign =
      b.where(b.binary("Less", x, b.int_scalar(0)), b.int_scalar(-1), b.int_scalar(0));
  return b.cast(b.where(is_between(b, distance, 0, last), shifted, sign), dtype);
}

// Euclid's algorithm on int64 that are not below 0, all pairs at once: until every remainder is 0,
// at most as often as there are Fibonacci numbers below 2^63.
Value euclid(Builder& b, Value x, Value y) {
  constexpr std::int64_t kMostTurns = 92;
  const TensorType type{DType::kInt64, onnx::broadcast(b.shape(x), b.shape(y))};
  const Value none = b.mul(x, b.int_scalar(0));
  const Value both_none = b.add(none, b.mul(y, b.int_scalar(0)));
  const Value larger = b.add(x, both_none);
  const Value smaller = b.add(y, both_none);
  const Shape scalar(std::vector<Dim>{});
  BodyScope scope(b);
  scope.add_input("turn", {DType::kInt64, scalar});
  scope.add_input("go_on", {DType::kBool, scalar});
  const Value divisor = scope.add_input("divisor", type);
  const Value rest = scope.add_input("rest", type);
  const Value zero = b.int_scalar(0);
  const Value is_done = b.binary("Equal", rest, zero);
  const Value safe = b.where(is_done, b.int_scalar(1), rest);
  const Value next_divisor = b.where(is_done, divisor, rest);
  const Value next_rest = b.where(is_done, zero, b.binary("Mod", divisor, safe));
  const Value left = b.cast(b.binary("Greater", next_rest, zero), DType::kInt64);
  const Value count = onnx::reduce(b, "ReduceSum", left, iota(type.shape.rank()), false);
  const Value go_on = b.binary("Greater", count, zero);
  const auto body = scope.finish({go_on, next_divisor, next_rest});
  return b.emit_many("Loop", {b.int_scalar(kMostTurns), b.scalar(DType::kBool, 1), larger, smaller},
                     {{"body", body}}, {type, type})[0];
}

Value gcd(Builder& b, Value lhs, Value rhs) {
  const auto magnitude = [&](Value x) { return b.unary("Abs", wide(b, x)); };
  return b.cast(euclid(b, magnitude(lhs), magnitude(rhs)), b.dtype(lhs));
}

Value lcm(Builder& b, Value lhs, Value rhs) {
  const Value x = b.unary("Abs", wide(b, lhs));
  const Value y = b.unary("Abs", wide(b, rhs));
  // Both are 0 where their divisor is.
  const Value divisor = b.binary("Max", euclid(b, x, y), b.int_scalar(1));
  return b.cast(b.mul(b.div(x, divisor), y), b.dtype(lhs));
}

constexpr std::string_view kLeastNote =
    "Of the least number of a dtype, whose magnitude it does not hold, MXNet's result is "
    "undefined.";

}  // namespace

constexpr std::string_view kShiftNote =
    "By a negative number of bits, or as many as there are, everything is shifted out, as MXNet's "
    "vector instructions do; its other kernels shift by what is left of the number.";

namespace binary {

const BinaryFunction kBitwiseAnd{"{0} & {1}", bitwise_and, {}, and_of_bools};
const BinaryFunction kBitwiseOr{"{0} | {1}", bitwise_or, {}, or_of_bools};
const BinaryFunction kBitwiseXor{"{0} ^ {1}", bitwise_xor, {}, xor_of_bools};
const BinaryFunction kLeftShift{"{0} << {1}", left_shift, kShiftNote};
const BinaryFunction kRightShift{"{0} >> {1}", right_shift, kShiftNote};
const BinaryFunction kGcd{"The greatest common divisor of {0} and {1}", gcd, kLeastNote};
const BinaryFunction kLcm{"The least common multiple of {0} and {1}", lcm, kLeastNote};

}  // namespace binary
}  // namespace mx2onnx
