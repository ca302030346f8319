#include "ops/expressions/binary_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value add(Builder& b, Value lhs, Value rhs) { return narrow_arithmetic(b, "Add", lhs, rhs); }
Value subtract(Builder& b, Value lhs, Value rhs) { return narrow_arithmetic(b, "Sub", lhs, rhs); }
Value multiply(Builder& b, Value lhs, Value rhs) { return narrow_arithmetic(b, "Mul", lhs, rhs); }
Value divide(Builder& b, Value lhs, Value rhs) { return narrow_arithmetic(b, "Div", lhs, rhs); }

// What MXNet computes on integers in float32, to cut the result.
Value as_float(Builder& b, std::string_view op_type, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  if (!is_integer(dtype)) return b.binary(op_type, lhs, rhs);
  const Value result =
      b.binary(op_type, b.cast(lhs, DType::kFloat32), b.cast(rhs, DType::kFloat32));
  return b.cast(result, dtype);
}

Value divide_as_float(Builder& b, Value lhs, Value rhs) { return as_float(b, "Div", lhs, rhs); }
Value power(Builder& b, Value lhs, Value rhs) { return as_float(b, "Pow", lhs, rhs); }

template <typename Condition>
bool is_constant_with(const Builder& b, Value value, Condition condition) {
  const Tensor* tensor = b.graph().constant(value);
  if (tensor == nullptr) return false;
  const auto elements = read_doubles(*tensor);
  return std::all_of(elements.begin(), elements.end(), condition);
}

// The result has the sign of the divisor, and modulo 0 is 0.
Value modulo_of_integers(Builder& b, Value lhs, Value rhs) {
  if (!is_constant_with(b, rhs, [](double element) { return element != 0; })) {
    // Anything modulo 1 is 0, and ONNX Runtime dies of a division by 0.
    const Value is_zero = b.binary("Equal", rhs, b.scalar(b.dtype(rhs), 0));
    rhs = b.where(is_zero, b.scalar(b.dtype(rhs), 1), rhs);
  }
  return b.binary("Mod", lhs, rhs);
}

Value modulo_of_floats(Builder& b, Value lhs, Value rhs) {
  const Value zero = b.scalar(b.dtype(lhs), 0);
  const bool positive = is_constant_with(b, rhs, [](double element) { return element > 0; });
  const bool nonzero = is_constant_with(b, rhs, [](double element) { return element != 0; });
  // The remainder of the truncated quotient, which has the sign of lhs: rhs is added where that is
  // not the sign of rhs.
  const Value remainder = b.emit("Mod", {lhs, rhs}, {{"fmod", 1}},
                                 {b.dtype(lhs), onnx::broadcast(b.shape(lhs), b.shape(rhs))});
  if (positive) {
    // Added even where it is 0, which makes 0 of -0 as in MXNet.
    const Value is_negative = b.binary("Less", remainder, zero);
    return b.add(remainder, b.where(is_negative, rhs, zero));
  }
  const Value aligned = b.mul(remainder, b.unary("Sign", rhs));
  const Value result = b.where(b.binary("Less", aligned, zero), b.add(remainder, rhs), remainder);
  return nonzero ? result : b.where(b.binary("Equal", rhs, zero), zero, result);
}

Value modulo(Builder& b, Value lhs, Value rhs) {
  return is_integer(b.dtype(lhs)) ? modulo_of_integers(b, lhs, rhs) : modulo_of_floats(b, lhs, rhs);
}

Value root_of_squares(Builder& b, Value lhs, Value rhs) {
  return b.unary("Sqrt", b.add(b.mul(lhs, lhs), b.mul(rhs, rhs)));
}

// Infinite where a leg is, whatever the other one, NaN too. Squares of float32 do not overflow in
// float64; legs in float64 are divided by the longer one.
Value hypot_of_floats(Builder& b, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  const Value left = b.unary("Abs", b.cast(lhs, DType::kFloat64));
  const Value right = b.unary("Abs", b.cast(rhs, DType::kFloat64));
  Value result;
  if (dtype == DType::kFloat64) {
    const auto number = [&](double value) { return b.scalar(dtype, value); };
    const Value longer = b.binary("Max", left, right);
    const Value shorter = b.binary("Min", left, right);
    const Value divisor = b.where(b.binary("Equal", longer, number(0)), number(1), longer);
    result = b.mul(longer, root_of_squares(b, b.div(shorter, divisor), number(1)));
  } else {
    result = root_of_squares(b, left, right);
  }
  const Value infinity = b.scalar(DType::kFloat64, std::numeric_limits<double>::infinity());
  const Value is_infinite =
      b.binary("Or", b.binary("Equal", left, infinity), b.binary("Equal", right, infinity));
  return b.cast(b.where(is_infinite, infinity, result), dtype);
}

Value hypot(Builder& b, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  if (!is_integer(dtype)) return hypot_of_floats(b, lhs, rhs);
  // MXNet takes the float32 nearest to the exact value for legs in float32, and cuts it. The Floor
  // keeps ONNX Runtime from joining the two casts around it, which would lose the rounding.
  const auto leg = [&](Value x) { return b.cast(b.cast(x, DType::kFloat32), DType::kFloat64); };
  const Value nearest = b.cast(root_of_squares(b, leg(lhs), leg(rhs)), DType::kFloat32);
  return b.cast(b.unary("Floor", nearest), dtype);
}

Value maximum(Builder& b, Value lhs, Value rhs) { return b.binary("Max", lhs, rhs); }
Value minimum(Builder& b, Value lhs, Value rhs) { return b.binary("Min", lhs, rhs); }

Value compare(Builder& b, std::string_view op_type, Value lhs, Value rhs) {
  const bool as_numbers = b.dtype(lhs) == DType::kBool && op_type != "Equal";
  const auto operand = [&](Value x) { return as_numbers ? b.cast(x, DType::kInt32) : x; };
  return b.binary(op_type, operand(lhs), operand(rhs));
}

Value equal(Builder& b, Value lhs, Value rhs) { return compare(b, "Equal", lhs, rhs); }
Value greater(Builder& b, Value lhs, Value rhs) { return compare(b, "Greater", lhs, rhs); }
Value lesser(Builder& b, Value lhs, Value rhs) { return compare(b, "Less", lhs, rhs); }
Value greater_equal(Builder& b, Value lhs, Value rhs) {
  return compare(b, "GreaterOrEqual", lhs, rhs);
}
Value lesser_equal(Builder& b, Value lhs, Value rhs) { return compare(b, "LessOrEqual", lhs, rhs); }
Value not_equal(Builder& b, Value lhs, Value rhs) { return b.unary("Not", equal(b, lhs, rhs)); }

// Whatever is not 0 is true, NaN included.
Value logical(Builder& b, std::string_view op_type, Value lhs, Value rhs) {
  return b.binary(op_type, b.cast(lhs, DType::kBool), b.cast(rhs, DType::kBool));
}

Value logical_and(Builder& b, Value lhs, Value rhs) { return logical(b, "And", lhs, rhs); }
Value logical_or(Builder& b, Value lhs, Value rhs) { return logical(b, "Or", lhs, rhs); }
Value logical_xor(Builder& b, Value lhs, Value rhs) { return logical(b, "Xor", lhs, rhs); }

// Anything to the power of 0 is 1.
Value power_of_bools(Builder& b, Value lhs, Value rhs) {
  return b.binary("Or", lhs, b.unary("Not", rhs));
}

constexpr std::string_view kModuloNote =
    "Of int64 beyond 2^53 MXNet rounds to float64 first; here the result is exact. "
    "Where the result is 0, its sign may be another one than MXNet's.";

}  // namespace

namespace binary {

const BinaryFunction kAdd{"{0} + {1}", add, {}, logical_or};
const BinaryFunction kSubtract{"{0} - {1}", subtract};
const BinaryFunction kMultiply{"{0} * {1}", multiply, {}, logical_and};
const BinaryFunction kDivide{"{0} / {1}", divide};
const BinaryFunction kDivideAsFloat{"{0} / {1}", divide_as_float};
const BinaryFunction kModulo{"{0} modulo {1}, with the sign of {1}, and 0 if {1} is 0", modulo,
                             kModuloNote};
const BinaryFunction kPower{"{0} to the power of {1}", power, {}, power_of_bools};
const BinaryFunction kMaximum{"The larger of {0} and {1}", maximum};
const BinaryFunction kMinimum{"The smaller of {0} and {1}", minimum};
const BinaryFunction kHypot{"sqrt({0}^2 + {1}^2)", hypot};
const BinaryFunction kEqual{"1 where {0} == {1}, else 0", equal, {}, equal, true};
const BinaryFunction kNotEqual{"1 where {0} != {1}, else 0", not_equal, {}, not_equal, true};
const BinaryFunction kGreater{"1 where {0} > {1}, else 0", greater, {}, greater, true};
const BinaryFunction kGreaterEqual{
    "1 where {0} >= {1}, else 0", greater_equal, {}, greater_equal, true};
const BinaryFunction kLesser{"1 where {0} < {1}, else 0", lesser, {}, lesser, true};
const BinaryFunction kLesserEqual{
    "1 where {0} <= {1}, else 0", lesser_equal, {}, lesser_equal, true};
const BinaryFunction kLogicalAnd{
    "1 where neither {0} nor {1} is 0, else 0", logical_and, {}, logical_and, true};
const BinaryFunction kLogicalOr{
    "1 where {0} and {1} are not both 0, else 0", logical_or, {}, logical_or, true};
const BinaryFunction kLogicalXor{
    "1 where exactly one of {0} and {1} is 0, else 0", logical_xor, {}, logical_xor, true};

}  // namespace binary

std::string BinaryFunction::text(std::string_view lhs, std::string_view rhs) const {
  return fmt::format(fmt::runtime(formula), lhs, rhs);
}

Value BinaryFunction::in_same_dtype(Builder& b, Value lhs, Value rhs) const {
  return b.cast(emit(b, lhs, rhs), b.dtype(lhs));
}

Value BinaryFunction::in_dtype(Builder& b, DType dtype, Value lhs, Value rhs) const {
  if (dtype == DType::kBool) return on_bool(b, b.cast(lhs, dtype), b.cast(rhs, dtype));
  if (dtype != DType::kInt16) return emit(b, b.cast(lhs, dtype), b.cast(rhs, dtype));
  // ONNX Runtime has few kernels of int16, whose results are the low bits of those of int32.
  const Value wide = emit(b, b.cast(lhs, DType::kInt32), b.cast(rhs, DType::kInt32));
  return is_predicate ? wide : b.cast(wide, dtype);
}

void translate_binary(const BinaryFunction& function, Translation& t) {
  if (t.input_type(0).dtype == DType::kBool) {
    return t.refuse("MXNet does not compute this on bool", "cast the inputs in the model");
  }
  t.set_output(0, function.in_same_dtype(t.b, t.input(0), t.input(1)));
}

Value square(Builder& b, Value x) {
  if (is_integer(b.dtype(x))) return multiply(b, x, x);
  // Not x * x: ONNX Runtime knows a layer normalisation by its Pow.
  return b.binary("Pow", x, b.scalar(b.dtype(x), 2));
}

Value narrow_arithmetic(Builder& b, std::string_view op_type, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  if (!is_integer(dtype) || b.takes(op_type, dtype)) return b.binary(op_type, lhs, rhs);
  const Value result = b.binary(op_type, b.cast(lhs, DType::kInt32), b.cast(rhs, DType::kInt32));
  return b.cast(result, dtype);
}

}  // namespace mx2onnx
