// Element-wise functions of one array (src/operator/tensor/elemwise_unary_op_*.cc), a table over
// one translation, and clip and smooth_l1.
//
// MXNet computes on integers in float32 or float64 and cuts the result towards zero.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

#include "onnx/opset.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/notes.h"
#include "ops/expressions/real_functions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

/// What the function does with integers.
enum class OnIntegers {
  kCut,        ///< In integer_functions.h.
  kNative,     ///< As with decimals.
  kUnchanged,  ///< Nothing.
  kInFloat32,  ///< Computed in float32 and cut.
  kInFloat64,  ///< Computed in float64 and cut.
  kRefused,    ///< Not followed.
};

struct UnaryRow {
  std::vector<std::string> names;
  std::string summary;
  OnIntegers on_integers;
  /// ONNX's operator, or a function that emits what it takes.
  std::string_view op_type;
  Value (*emit)(Builder& b, Value x) = nullptr;
};

Value number(Builder& b, Value like, double value) { return b.scalar(b.dtype(like), value); }

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
      {{"log_sigmoid", "_sparse_log_sigmoid"}, "log(sigmoid(x)).", kRefused, {}, log_sigmoid},
      {{"mish", "_sparse_mish"}, "x tanh(log(1 + e^x)).", kRefused, {}, mish},
      {{"erf", "_npx_erf"}, "The error function.", kCut, "Erf"},
      {{"logical_not"}, "1 where x is 0, else 0.", kNative, {}, logical_not},
  };
}

void translate_unary(const UnaryRow& row, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  const auto emit = [&](Value value) {
    return row.emit != nullptr ? row.emit(b, value) : real_function(b, row.op_type, value);
  };
  const auto emit_in = [&](DType computed_in) {
    return b.cast(emit(b.cast(x, computed_in)), dtype);
  };
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  if (!is_integer(dtype)) return t.set_output(0, emit(x));
  switch (row.on_integers) {
    case OnIntegers::kCut:
      return t.set_output(0, integer_function(b, row.names.front(), x));
    case OnIntegers::kNative:
      return t.set_output(0, emit(x));
    case OnIntegers::kUnchanged:
      return t.set_output(0, through_float64(b, x));
    case OnIntegers::kInFloat32:
      return t.set_output(0, emit_in(DType::kFloat32));
    case OnIntegers::kInFloat64:
      return t.set_output(0, emit_in(DType::kFloat64));
    case OnIntegers::kRefused:
      return t.refuse(
          fmt::format("expected decimals, found {}: of integers MXNet cuts what it computes",
                      dtype_name(dtype)));
  }
}

struct ClipParam {
  double a_min = 0;
  double a_max = 0;

  static void declare(AttrDeclarer<ClipParam>& d) {
    d.field("a_min", &ClipParam::a_min).required().help("least value of the result");
    d.field("a_max", &ClipParam::a_max).required().help("largest value of the result");
  }
};

// MXNet compares each element as float32 with the bounds, which are float32 for float64 too, the
// upper one first.
class Clipper {
 public:
  Clipper(Builder& b, const ClipParam& p, DType dtype)
      : b_(b),
        dtype_(dtype),
        low_(static_cast<float>(p.a_min)),
        high_(static_cast<float>(p.a_max)) {
    const auto infinity = std::numeric_limits<double>::infinity();
    const auto [least, largest] =
        is_integer(dtype) ? integer_range(dtype) : std::pair(-infinity, infinity);
    // A bound that no element reaches, or is no number, is left out.
    if (!(*low_ > least)) low_.reset();
    if (!(*high_ < largest)) high_.reset();
  }

  /// A bound that an element may become has no value in an array of the dtype.
  bool is_undefined() const {
    return (low_ && !has_defined_value(*low_, dtype_)) ||
           (high_ && !has_defined_value(*high_, dtype_));
  }

  Value clip(Value x) const { return is_ordinary() ? onnx::clip(b_, x, low_, high_) : chosen(x); }

 private:
  // True if ONNX's Clip does the same.
  bool is_ordinary() const {
    if (low_ && high_ && *low_ > *high_) return false;
    if (!is_integer(dtype_)) return true;
    const auto [least, largest] = integer_range(dtype_);
    constexpr double kMostExact = 1 << 24;
    const auto fits = [&, least = least, largest = largest](const std::optional<double>& bound) {
      return !bound || (*bound >= least && *bound <= largest && std::abs(*bound) < kMostExact);
    };
    return fits(low_) && fits(high_);
  }

  Value chosen(Value x) const {
    const Value seen = b_.cast(x, dtype_ == DType::kFloat64 ? dtype_ : DType::kFloat32);
    // Of narrow integers the low bits of the bound.
    const DType made = dtype_size(dtype_) == 1 ? DType::kInt32 : dtype_;
    Value result = b_.cast(x, made);
    const auto bounded = [&](const std::optional<double>& bound, const char* comparison) {
      if (!bound) return;
      const Value beyond = b_.binary(comparison, seen, b_.scalar(b_.dtype(seen), *bound));
      result =
          b_.where(beyond, b_.scalar(made, is_integer(made) ? std::trunc(*bound) : *bound), result);
    };
    bounded(low_, "Less");
    bounded(high_, "Greater");
    return b_.cast(result, dtype_);
  }

  Builder& b_;
  DType dtype_;
  std::optional<double> low_;
  std::optional<double> high_;
};

void translate_clip(const ClipParam& p, Translation& t) {
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const Clipper clipper(t.b, p, dtype);
  if (clipper.is_undefined()) {
    return t.refuse(fmt::format("{} does not hold a_min or a_max", dtype_name(dtype)));
  }
  t.set_output(0, clipper.clip(t.input(0)));
}

struct SmoothL1Param {
  double scalar = 1;

  static void declare(AttrDeclarer<SmoothL1Param>& d) {
    d.field("scalar", &SmoothL1Param::scalar).help("sigma; the parabola ends at 1 / sigma^2");
    d.ignore({"is_int"});
  }
};

void translate_smooth_l1(const SmoothL1Param& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  // Small scalars have squares that float16 has not.
  const bool in_float32 = is_integer(dtype) || dtype == DType::kFloat16;
  const Value x = b.cast(t.input(0), in_float32 ? DType::kFloat32 : dtype);
  const double sigma = is_integer(dtype) ? std::trunc(p.scalar) : p.scalar;
  const double end = 1 / (sigma * sigma);
  const Value magnitude = b.unary("Abs", x);
  const Value parabola = b.mul(b.mul(x, x), number(b, x, 0.5 * sigma * sigma));
  const Value line = b.sub(magnitude, number(b, x, 0.5 * end));
  const Value is_far = b.binary("Greater", magnitude, number(b, x, end));
  t.set_output(0, b.cast(b.where(is_far, line, parabola), dtype));
}

struct QuadraticParam {
  double a = 0;
  double b = 0;
  double c = 0;

  static void declare(AttrDeclarer<QuadraticParam>& d) {
    d.field("a", &QuadraticParam::a).help("factor of x^2");
    d.field("b", &QuadraticParam::b).help("factor of x");
    d.field("c", &QuadraticParam::c).help("constant term");
  }
};

void translate_quadratic(const QuadraticParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  // (a x + b) x + c
  if (dtype_size(dtype) == 1) {
    const auto value = [p](double element) {
      const auto v = static_cast<float>(element);
      const float slope = static_cast<float>(p.a) * v + static_cast<float>(p.b);
      return static_cast<double>(v * slope + static_cast<float>(p.c));
    };
    return t.set_output(0, byte_function(b, value, x));
  }
  const Value v = is_floating(dtype) ? x : b.cast(x, DType::kFloat32);
  const Value slope = b.add(b.mul(v, number(b, v, p.a)), number(b, v, p.b));
  const Value value = b.add(b.mul(slope, v), number(b, v, p.c));
  t.set_output(0, is_floating(dtype) ? value : cut_to_integer(b, value, dtype));
}

// Of -0.
bool changes_zero_sign(std::string_view name) {
  constexpr std::string_view kNames[] = {"relu", "fix",   "trunc", "_contrib_round_ste",
                                         "cbrt", "log1p", "round"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

void register_unary(Registry& r) {
  for (const auto& row : unary_rows()) {
    auto declarer =
        r.add<NoParam>(row.names)
            .summary(row.summary)
            .infer(infer_same<NoParam>)
            .any_shape()
            .translate([row](const NoParam&, Translation& t) { translate_unary(row, t); });
    if (changes_zero_sign(row.names.front())) declarer.note(std::string(kZeroSignNote));
    if (row.names.front() == "cbrt") {
      declarer.note(
          "The root of an integer is exact here. MXNet cuts what the C library gives, which is the "
          "number before for some cubes (of glibc 2.36 from 3375 on), and of int64 beyond 2^51 the "
          "root itself for some numbers just below a cube.");
    }
  }
  r.add<ClipParam>({"clip", "_npi_clip", "_sparse_clip"})
      .summary("Brings each element between two bounds.")
      .infer(infer_same<ClipParam>)
      .any_shape()
      .translate(translate_clip);
  r.add<QuadraticParam>({"_contrib_quadratic"})
      .summary("a x^2 + b x + c.")
      .infer(infer_same<QuadraticParam>)
      .any_shape()
      .translate(translate_quadratic);
  r.add<SmoothL1Param>({"smooth_l1", "_npx_smooth_l1"})
      .summary("A parabola near 0 that goes on as a line.")
      .infer(infer_same<SmoothL1Param>)
      .any_shape()
      .translate(translate_smooth_l1);
}

}  // namespace mx2onnx
