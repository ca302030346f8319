// Element-wise functions of two arrays that NumPy's operators have and the legacy ones have not,
// with MXNet's formulas (src/operator/mshadow_op.h).
#include <numbers>

#include "ops/expressions/binary_functions.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/real_functions.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value number(Builder& b, Value like, double value) { return b.scalar(b.dtype(like), value); }

// Of any integer dtype: a floating value cut as x86 does.
Value cut(Builder& b, Value value, DType dtype) {
  const DType wide = dtype == DType::kInt64 ? dtype : DType::kInt32;
  return b.cast(cut_to_integer(b, value, wide), dtype);
}

// Computes in another dtype. What was an integer is cut.
template <typename Emit>
Value computed_in(Builder& b, DType computing, Value lhs, Value rhs, const Emit& emit) {
  const DType dtype = b.dtype(lhs);
  const Value value = emit(b.cast(lhs, computing), b.cast(rhs, computing));
  return is_integer(dtype) ? cut(b, value, dtype) : b.cast(value, dtype);
}

// MXNet divides integers in float64, where a division by 0 is infinite or NaN, and cuts that.
Value floor_divide(Builder& b, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  if (is_integer(dtype)) {
    return computed_in(b, DType::kFloat64, lhs, rhs,
                       [&](Value x, Value y) { return b.unary("Floor", b.div(x, y)); });
  }
  const Stepwise steps(b, dtype);
  return steps.give(b.unary("Floor", steps.div(steps.take(lhs), steps.take(rhs))));
}

// The remainder of the truncated quotient, which has the sign of lhs; modulo 0 it is 0.
Value truncated_modulo(Builder& b, Value lhs, Value rhs) {
  const Value zero = number(b, lhs, 0);
  const Value is_zero = b.binary("Equal", rhs, zero);
  if (is_integer(b.dtype(lhs))) rhs = b.where(is_zero, number(b, rhs, 1), rhs);
  const Value remainder = b.emit("Mod", {lhs, rhs}, {{"fmod", 1}},
                                 {b.dtype(lhs), onnx::broadcast(b.shape(lhs), b.shape(rhs))});
  return is_integer(b.dtype(lhs)) ? remainder : b.where(is_zero, zero, remainder);
}

// As MXNet has it, lhs where both signs are the same and else -lhs: -0 counts as positive, and a
// NaN has another sign than everything.
Value copysign(Builder& b, Value lhs, Value rhs) {
  const DType dtype = b.dtype(lhs);
  const auto is = [&](const BinaryFunction& compared, Value x) {
    return compared.emit(b, x, number(b, x, 0));
  };
  const Value both_positive =
      b.binary("And", is(binary::kGreaterEqual, lhs), is(binary::kGreaterEqual, rhs));
  const Value both_negative = b.binary("And", is(binary::kLesser, lhs), is(binary::kLesser, rhs));
  const Value negated =
      is_integer(dtype) ? binary::kSubtract.emit(b, number(b, lhs, 0), lhs) : b.unary("Neg", lhs);
  return b.where(b.binary("Or", both_positive, both_negative), lhs, negated);
}

// True for -0, too.
Value has_minus_sign(Builder& b, Value x) {
  const Value zero = number(b, x, 0);
  return b.binary("Or", b.binary("Less", x, zero),
                  b.binary("Less", b.unary("Reciprocal", x), zero));
}

// The angle of the point (x, y) in the first octant, mirrored to where the point is.
Value angle_of(Builder& b, Value y, Value x) {
  const Value height = b.unary("Abs", y);
  const Value width = b.unary("Abs", x);
  const Value is_diagonal = b.binary("Equal", height, width);
  const Value is_origin = b.binary("Equal", height, number(b, y, 0));
  const Value on_diagonal = b.where(is_origin, number(b, y, 0), number(b, y, 1));
  const Value slope = b.div(b.binary("Min", height, width), b.binary("Max", height, width));
  const Value octant = real_function(b, "Atan", b.where(is_diagonal, on_diagonal, slope));
  const Value is_steep = b.binary("Greater", height, width);
  const Value right = b.where(is_steep, b.sub(number(b, y, std::numbers::pi / 2), octant), octant);
  const Value upper =
      b.where(has_minus_sign(b, x), b.sub(number(b, y, std::numbers::pi), right), right);
  return b.where(has_minus_sign(b, y), b.unary("Neg", upper), upper);
}

Value arctan2(Builder& b, Value lhs, Value rhs) {
  const DType computing = b.dtype(lhs) == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  return computed_in(b, computing, lhs, rhs, [&](Value y, Value x) { return angle_of(b, y, x); });
}

// The power is computed in float64 where the exponent is no float32.
Value ldexp(Builder& b, Value lhs, Value rhs) {
  const DType computing = b.dtype(lhs) == DType::kFloat32 ? DType::kFloat32 : DType::kFloat64;
  return computed_in(b, computing, lhs, rhs, [&](Value x, Value exponent) {
    return b.mul(x, b.binary("Pow", number(b, x, 2), exponent));
  });
}

// As MXNet has it: infinite where one of the powers is.
Value log_add_exp(Builder& b, Value lhs, Value rhs) {
  const DType computing = b.dtype(lhs) == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
  return computed_in(b, computing, lhs, rhs, [&](Value x, Value y) {
    return b.unary("Log", b.add(b.unary("Exp", x), b.unary("Exp", y)));
  });
}

Value without_nan(Builder& b, std::string_view op_type, Value lhs, Value rhs) {
  const Value extreme = b.binary(op_type, lhs, rhs);
  if (is_integer(b.dtype(lhs))) return extreme;
  const Value number_or_right = b.where(b.unary("IsNaN", lhs), rhs, extreme);
  return b.where(b.unary("IsNaN", rhs), lhs, number_or_right);
}

Value fmax(Builder& b, Value lhs, Value rhs) { return without_nan(b, "Max", lhs, rhs); }
Value fmin(Builder& b, Value lhs, Value rhs) { return without_nan(b, "Min", lhs, rhs); }

// MXNet's 1 / 0 of bools ends its process, so that what is divided by 0 does not matter.
Value floor_divide_bools(Builder& b, Value lhs, Value rhs) { return b.binary("And", lhs, rhs); }

}  // namespace

namespace binary {

const BinaryFunction kFloorDivide{
    "The integer not above {0} / {1}", floor_divide,
    "Of int64 beyond 2^53 MXNet divides the float64 numbers next to them, and so does this.",
    floor_divide_bools};
const BinaryFunction kTruncatedModulo{
    "{0} modulo {1}, with the sign of {0}, and 0 if {1} is 0", truncated_modulo,
    "Of int64 beyond 2^53 MXNet rounds to float64 first; here the result is exact."};
const BinaryFunction kCopysign{"{0} where {0} and {1} are both below 0 or both not, else -{0}",
                               copysign,
                               "Where the result is 0, its sign may be another one than MXNet's."};
const BinaryFunction kArctan2{"The angle of the point ({1}, {0}), between -pi and pi", arctan2};
const BinaryFunction kLdexp{"{0} * 2^{1}", ldexp};
const BinaryFunction kLogAddExp{"log(e^{0} + e^{1})", log_add_exp};
const BinaryFunction kFmax{"The larger of {0} and {1}, the other one where one is NaN", fmax};
const BinaryFunction kFmin{"The smaller of {0} and {1}, the other one where one is NaN", fmin};

}  // namespace binary
}  // namespace mx2onnx
