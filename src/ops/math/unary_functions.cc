#include "ops/math/unary_functions.h"

#include <algorithm>
#include <iterator>
#include <numbers>

#include "ops/expressions/binary_functions.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/real_functions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value number(Builder& b, Value like, double value) { return b.scalar(b.dtype(like), value); }

Value below(Builder& b, Value x, double limit) { return b.binary("Less", x, number(b, x, limit)); }

Value truncate(Builder& b, Value x) {
  return b.mul(b.unary("Sign", x), b.unary("Floor", b.unary("Abs", x)));
}

// Halves go down: the integer above, less one where it is half a step or more away. Unlike
// Ceil(x - 0.5) this is right for every size of x, for the difference is exact where it matters.
Value rint(Builder& b, Value x) {
  const Value ceil = b.unary("Ceil", x);
  const Value down = b.binary("GreaterOrEqual", b.sub(ceil, x), number(b, x, 0.5));
  return b.sub(ceil, b.cast(down, b.dtype(x)));
}

// Halves go away from 0, which ONNX's Round takes to the even number.
Value round(Builder& b, Value x) {
  const Value magnitude = b.unary("Abs", x);
  const Value floor = b.unary("Floor", magnitude);
  const Value up = b.binary("GreaterOrEqual", b.sub(magnitude, floor), number(b, x, 0.5));
  return b.mul(b.unary("Sign", x), b.add(floor, b.cast(up, b.dtype(x))));
}

Value rsqrt(Builder& b, Value x) { return b.unary("Reciprocal", b.unary("Sqrt", x)); }

// 0 for NaN.
Value sign(Builder& b, Value x) {
  const Value sign = b.unary("Sign", x);
  if (!is_floating(b.dtype(x))) return sign;
  return b.where(b.unary("IsNaN", x), number(b, x, 0), sign);
}

// MXNet computes on int64 in float64, which is not all of the whole numbers beyond 2^53. The Floor
// keeps ONNX Runtime from dropping the casts.
Value through_float64(Builder& b, Value x) {
  if (b.dtype(x) != DType::kInt64) return x;
  return b.cast(b.unary("Floor", b.cast(x, DType::kFloat64)), DType::kInt64);
}
Value magnitude(Builder& b, Value x) { return b.unary("Abs", through_float64(b, x)); }

// MXNet computes in float64 and cuts towards 0, so that what lies below a negative number by less
// than 1 is that number. From e^710 on 1 + e^-x is infinite, and what is cut then the least number,
// which is -x of itself, too. (Measured: -800 to 800, and corners of int32 and int64.)
Value log_sigmoid_of_integers(Builder& b, Value x) {
  const Value negative = b.where(below(b, x, 0), x, number(b, x, 0));
  if (dtype_size(b.dtype(x)) == 1) return negative;
  const Value least = number(b, x, b.dtype(x) == DType::kInt32 ? -0x1p31 : -0x1p63);
  const Value cut = b.where(below(b, x, -709), least, negative);
  return b.where(b.binary("Equal", x, least), number(b, x, 0), cut);
}

// tanh(log(1 + e^x)) is 1 in float64 from 20 on, and below it takes less than 1 from x. (Measured
// like log_sigmoid.)
Value mish_of_integers(Builder& b, Value x) {
  const Value lower =
      b.where(below(b, x, 1), number(b, x, 0), narrow_arithmetic(b, "Sub", x, number(b, x, 1)));
  return b.where(below(b, x, 20), lower, through_float64(b, x));
}

Value log10(Builder& b, Value x) {
  return b.mul(b.unary("Log", x), number(b, x, std::numbers::log10e));
}

Value log2(Builder& b, Value x) {
  return b.mul(b.unary("Log", x), number(b, x, std::numbers::log2e));
}

// MXNet's factors are float32 numbers, for float64 too.
constexpr float kPi = 3.14159265358979323846F;
Value degrees(Builder& b, Value x) { return b.mul(x, number(b, x, 180.0F / kPi)); }
Value radians(Builder& b, Value x) { return b.mul(x, number(b, x, kPi / 180.0F)); }

Value negative(Builder& b, Value x) {
  if (b.takes("Neg", b.dtype(x))) return b.unary("Neg", x);
  return narrow_arithmetic(b, "Sub", number(b, x, 0), x);
}

Value relu(Builder& b, Value x) {
  if (is_floating(b.dtype(x))) return b.unary("Relu", x);
  return b.binary("Max", x, number(b, x, 0));
}

Value logical_not(Builder& b, Value x) {
  return b.cast(b.unary("Not", b.cast(x, DType::kBool)), b.dtype(x));
}

}  // namespace

std::vector<UnaryRow> unary_rows() {
  using enum OnIntegers;
  return {
      {{"abs", "_sparse_abs"}, "The magnitude.", kNative, {}, magnitude},
      {{"sign", "_sparse_sign"}, "-1, 0 or 1.", kNative, {}, sign},
      {{"rint", "_sparse_rint"}, "The nearest integer; halves go down.", kUnchanged, {}, rint},
      {{"ceil", "_sparse_ceil"}, "The next integer above.", kUnchanged, "Ceil"},
      {{"floor", "_sparse_floor"}, "The next integer below.", kUnchanged, "Floor"},
      {{"trunc", "_sparse_trunc"}, "The next integer towards 0.", kUnchanged, {}, truncate},
      {{"fix", "_sparse_fix"}, "The next integer towards 0.", kUnchanged, {}, truncate},
      {{"round", "_sparse_round"},
       "The nearest integer; halves go away from 0.",
       kUnchanged,
       {},
       round},
      {{"_contrib_sign_ste", "_sparse__contrib_sign_ste", "_npx_sign_ste"},
       "sign with another gradient.",
       kNative,
       {},
       sign},
      {{"_contrib_round_ste", "_sparse__contrib_round_ste", "_npx_round_ste"},
       "round with another gradient.",
       kUnchanged,
       {},
       round},
      {{"square", "_sparse_square"}, "x^2.", kInFloat32, {}, square},
      {{"sqrt", "_sparse_sqrt"}, "The square root.", kInFloat64, "Sqrt"},
      {{"rsqrt", "_sparse_rsqrt"}, "1 / sqrt(x).", kInFloat64, {}, rsqrt},
      {{"cbrt", "_sparse_cbrt"}, "The cube root.", kCut, {}, cbrt},
      {{"rcbrt"}, "1 / cbrt(x).", kCut, {}, rcbrt},
      {{"exp", "_sparse_exp"}, "e^x.", kCut, "Exp"},
      {{"expm1", "_sparse_expm1"}, "e^x - 1.", kCut, {}, expm1},
      {{"log", "_sparse_log"}, "The natural logarithm.", kCut, "Log"},
      {{"log10", "_sparse_log10"}, "The logarithm to base 10.", kCut, {}, log10},
      {{"log2", "_sparse_log2"}, "The logarithm to base 2.", kCut, {}, log2},
      {{"log1p", "_sparse_log1p"}, "log(1 + x).", kCut, {}, log1p},
      {{"sin", "_sparse_sin"}, "The sine.", kCut, "Sin"},
      {{"cos", "_sparse_cos"}, "The cosine.", kCut, "Cos"},
      {{"tan", "_sparse_tan"}, "The tangent.", kCut, "Tan"},
      {{"arcsin", "_sparse_arcsin"}, "The inverse of the sine.", kCut, "Asin"},
      {{"arccos", "_sparse_arccos"}, "The inverse of the cosine.", kCut, "Acos"},
      {{"arctan", "_sparse_arctan"}, "The inverse of the tangent.", kCut, "Atan"},
      {{"sinh", "_sparse_sinh"}, "The hyperbolic sine.", kCut, "Sinh"},
      {{"cosh", "_sparse_cosh"}, "The hyperbolic cosine.", kCut, "Cosh"},
      {{"tanh", "_sparse_tanh"}, "The hyperbolic tangent.", kCut, "Tanh"},
      {{"arcsinh", "_sparse_arcsinh"}, "The inverse of sinh.", kCut, "Asinh"},
      {{"arccosh", "_sparse_arccosh"}, "The inverse of cosh.", kCut, "Acosh"},
      {{"arctanh", "_sparse_arctanh"}, "The inverse of tanh.", kCut, "Atanh"},
      {{"degrees", "_sparse_degrees"}, "From radians to degrees.", kInFloat32, {}, degrees},
      {{"radians", "_sparse_radians"}, "From degrees to radians.", kInFloat32, {}, radians},
      {{"reciprocal"}, "1 / x.", kInFloat32, "Reciprocal"},
      {{"negative", "_sparse_negative"}, "-x.", kNative, {}, negative},
      {{"relu", "_sparse_relu"}, "x where it is positive, else 0.", kNative, {}, relu},
      {{"sigmoid", "_sparse_sigmoid"}, "1 / (1 + e^-x).", kCut, "Sigmoid"},
      {{"softsign", "_npx_softsign"}, "x / (1 + |x|).", kCut, "Softsign"},
      {{"log_sigmoid", "_sparse_log_sigmoid"},
       "log(1 / (1 + e^-x)).",
       kExact,
       {},
       log_sigmoid,
       log_sigmoid_of_integers},
      {{"mish", "_sparse_mish"}, "x tanh(log(1 + e^x)).", kExact, {}, mish, mish_of_integers},
      {{"erf", "_npx_erf"}, "The error function.", kCut, "Erf"},
      {{"logical_not"}, "1 where x is 0, else 0.", kNative, {}, logical_not},
  };
}

const UnaryRow& unary_row(std::string_view name) {
  static const std::vector<UnaryRow> rows = unary_rows();
  return *std::find_if(rows.begin(), rows.end(),
                       [&](const UnaryRow& row) { return row.names.front() == name; });
}

Value UnaryRow::of(Builder& b, Value x) const {
  return emit != nullptr ? emit(b, x) : real_function(b, op_type, x);
}

Value unary_of_integers(Builder& b, const UnaryRow& row, Value x) {
  const DType dtype = b.dtype(x);
  switch (row.on_integers) {
    case OnIntegers::kCut:
      return integer_function(b, row.names.front(), x);
    case OnIntegers::kUnchanged:
      return through_float64(b, x);
    case OnIntegers::kInFloat32:
      return b.cast(row.of(b, b.cast(x, DType::kFloat32)), dtype);
    case OnIntegers::kInFloat64:
      return b.cast(row.of(b, b.cast(x, DType::kFloat64)), dtype);
    case OnIntegers::kExact:
      return row.of_integers(b, x);
    case OnIntegers::kNative:
      break;
  }
  return row.of(b, x);
}

// Of -0.
bool changes_zero_sign(std::string_view name) {
  constexpr std::string_view kNames[] = {"relu", "fix",   "trunc", "_contrib_round_ste",
                                         "cbrt", "log1p", "round"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace mx2onnx
