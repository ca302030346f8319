#include "ops/expressions/integer_functions.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include "onnx/opset.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr int kSettled = 64;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool is_byte(DType dtype) { return dtype_size(dtype) == 1; }

Value number(Builder& b, double value) { return b.scalar(DType::kFloat64, value); }
Value wide(Builder& b, Value x) { return b.cast(x, DType::kFloat64); }

// ONNX counts negative indices from the end of the table, where the values of negative numbers are.
Value look_up(Builder& b, Value table, Value index) {
  return b.emit("Gather", {table, index}, {{"axis", 0}}, {b.dtype(table), b.shape(index)});
}

Value table_of(Builder& b, DType dtype, int most, int least,
               const std::function<double(double)>& exact) {
  std::vector<double> values;
  const auto append = [&](int first, int last) {
    for (int i = first; i <= last; ++i) {
      values.push_back(static_cast<double>(cut_to_integer(exact(i), dtype)));
    }
  };
  append(0, most);
  append(least, -1);
  return b.constant(make_tensor_as(dtype, {static_cast<std::int64_t>(values.size())}, values));
}

Value settling(Builder& b, double (*exact)(double), Value x) {
  const Value index = onnx::clip(b, x, -kSettled, kSettled);
  return look_up(b, table_of(b, b.dtype(x), kSettled, -kSettled, exact), index);
}

// What is not below 0 and grows from `start` on, where it is nearer to a logarithm than 1: the
// logarithm may be a step off, and the numbers where the steps are put it right. Near these the
// logarithm is a whole number but for its last digit.
struct Staircase {
  double (*exact)(double);
  double start;
  double factor;  ///< Of the logarithm.
  double scale;
  double offset;
};

// The least float64 at which each step is reached, between 0 and what no step can be above.
Value steps_of(Builder& b, const Staircase& stairs) {
  constexpr double kEnd = 0x1p63;
  std::vector<double> steps = {0};
  const double last = std::floor(stairs.exact(kEnd));
  for (double step = 1; step <= last; ++step) {
    double below = stairs.start;
    double reached = kEnd;
    while (std::nextafter(below, reached) < reached) {
      const double middle = below + (reached - below) / 2;
      (stairs.exact(middle) >= step ? reached : below) = middle;
    }
    steps.push_back(reached);
  }
  steps.push_back(2 * kEnd);
  steps.push_back(2 * kEnd);
  return b.constant(
      make_tensor_as(DType::kFloat64, {static_cast<std::int64_t>(steps.size())}, steps));
}

// Of float64 from the start on.
Value climb(Builder& b, const Staircase& stairs, Value x) {
  const Value steps = steps_of(b, stairs);
  const Value argument = b.add(b.mul(x, number(b, stairs.scale)), number(b, stairs.offset));
  const Value logarithm = b.mul(b.unary("Log", argument), number(b, stairs.factor));
  const Value step = b.cast(logarithm, DType::kInt64);
  const Value next = b.add(step, b.int_scalar(1));
  const Value too_high = b.binary("Less", x, look_up(b, steps, step));
  const Value too_low = b.binary("GreaterOrEqual", x, look_up(b, steps, next));
  const Value mended = b.sub(step, b.cast(too_high, DType::kInt64));
  return b.add(mended, b.cast(too_low, DType::kInt64));
}

Value climb_from_start(Builder& b, const Staircase& stairs, Value x) {
  const Value argument = wide(b, x);
  const Value start = number(b, stairs.start);
  const Value height = b.cast(climb(b, stairs, b.binary("Max", argument, start)), b.dtype(x));
  const Value least = b.scalar(b.dtype(x), static_cast<double>(cut_to_integer(NAN, b.dtype(x))));
  return b.where(b.binary("Less", argument, start), least, height);
}

// Where the sine or cosine is 1 or -1 in float64: where the other one is next to nothing.
Value peaks(Builder& b, Value x, std::string_view function, std::string_view other) {
  const double nothing = std::ldexp(std::numbers::sqrt2, -27);
  const Value argument = wide(b, x);
  const Value is_peak =
      b.binary("Less", b.unary("Abs", b.unary(other, argument)), number(b, nothing));
  const Value sign = b.unary("Sign", b.unary(function, argument));
  return b.cast(b.where(is_peak, sign, number(b, 0)), b.dtype(x));
}

Value whole_log(Builder& b, Value x) {
  return climb_from_start(b, {[](double v) { return std::log(v); }, 1, 1, 1, 0}, x);
}

Value whole_log2(Builder& b, Value x) {
  return climb_from_start(b, {[](double v) { return std::log2(v); }, 1, std::numbers::log2e, 1, 0},
                          x);
}

Value whole_log10(Builder& b, Value x) {
  return climb_from_start(
      b, {[](double v) { return std::log10(v); }, 1, std::numbers::log10e, 1, 0}, x);
}

Value whole_log1p(Builder& b, Value x) {
  return climb_from_start(b, {[](double v) { return std::log1p(v); }, 0, 1, 1, 1}, x);
}

Value whole_arccosh(Builder& b, Value x) {
  return climb_from_start(b, {[](double v) { return std::acosh(v); }, 1, 1, 2, 0}, x);
}

Value whole_arcsinh(Builder& b, Value x) {
  const Staircase stairs = {[](double v) { return std::asinh(v); }, 0, 1, 2, 1};
  const Value height = climb(b, stairs, b.unary("Abs", wide(b, x)));
  return b.mul(b.unary("Sign", x), b.cast(height, b.dtype(x)));
}

Value whole_sin(Builder& b, Value x) { return peaks(b, x, "Sin", "Cos"); }
Value whole_cos(Builder& b, Value x) { return peaks(b, x, "Cos", "Sin"); }

Value whole_tan(Builder& b, Value x) {
  const Value argument = wide(b, x);
  const Value tangent = b.div(b.unary("Sin", argument), b.unary("Cos", argument));
  return cut_to_integer(b, tangent, b.dtype(x));
}

// The whole number next to the root, or the one before it where its cube is too large.
Value whole_cbrt(Builder& b, Value x) {
  const Value argument = b.unary("Abs", wide(b, x));
  const Value root = b.unary("Round", b.binary("Pow", argument, number(b, 1.0 / 3)));
  const Value cube = b.mul(b.mul(root, root), root);
  const Value too_large = wide(b, b.binary("Greater", cube, argument));
  const Value magnitude = b.cast(b.sub(root, too_large), b.dtype(x));
  return b.mul(b.unary("Sign", x), magnitude);
}

// MXNet negates the integer, which the least one does not survive.
Value whole_sigmoid(Builder& b, Value x) {
  return settling(
      b, [](double v) { return 1 / (1 + std::exp(v)); }, b.unary("Neg", x));
}

Value whole_softsign(Builder& b, Value x) {
  const Value argument = wide(b, x);
  const Value above = b.add(b.unary("Abs", argument), number(b, 1));
  return b.cast(b.div(argument, above), b.dtype(x));
}

// Stirling's series, where it is exact in float64.
Value whole_gammaln(Builder& b, Value x) {
  const Value argument = wide(b, x);
  const Value far = b.binary("Max", argument, number(b, kSettled));
  const Value inverse = b.unary("Reciprocal", far);
  const Value square = b.mul(inverse, inverse);
  const Value inner = b.sub(number(b, 1.0 / 360), b.mul(square, number(b, 1.0 / 1260)));
  const Value series = b.mul(inverse, b.sub(number(b, 1.0 / 12), b.mul(square, inner)));
  const double constant = (std::log(2 * std::numbers::pi) - 1) / 2;
  const Value rest = b.add(series, number(b, constant));
  const Value logarithm = b.sub(b.unary("Log", far), number(b, 1));
  const Value power = b.mul(b.sub(far, number(b, 0.5)), logarithm);
  const Value value = cut_to_integer(b, b.add(power, rest), b.dtype(x));
  const Value near = settling(
      b, [](double v) { return std::lgamma(v); }, x);
  return b.where(b.binary("Greater", argument, number(b, kSettled)), value, near);
}

struct IntegerFunction {
  std::string_view name;
  double (*exact)(double x);
  /// For int32 and int64, as the element type of `x`. Without it the function does not change any
  /// more beyond -64 and 64, once it is cut.
  Value (*emit)(Builder& b, Value x) = nullptr;
};

constexpr IntegerFunction kFunctions[] = {
    {"exp", [](double x) { return std::exp(x); }},
    {"expm1", [](double x) { return std::expm1(x); }},
    {"log", [](double x) { return std::log(x); }, whole_log},
    {"log10", [](double x) { return std::log10(x); }, whole_log10},
    {"log2", [](double x) { return std::log2(x); }, whole_log2},
    {"log1p", [](double x) { return std::log1p(x); }, whole_log1p},
    {"sin", [](double x) { return std::sin(x); }, whole_sin},
    {"cos", [](double x) { return std::cos(x); }, whole_cos},
    {"tan", [](double x) { return std::tan(x); }, whole_tan},
    {"arcsin", [](double x) { return std::asin(x); }},
    {"arccos", [](double x) { return std::acos(x); }},
    {"arctan", [](double x) { return std::atan(x); }},
    {"sinh", [](double x) { return std::sinh(x); }},
    {"cosh", [](double x) { return std::cosh(x); }},
    {"tanh", [](double x) { return std::tanh(x); }},
    {"arcsinh", [](double x) { return std::asinh(x); }, whole_arcsinh},
    {"arccosh", [](double x) { return std::acosh(x); }, whole_arccosh},
    {"arctanh", [](double x) { return std::atanh(x); }},
    {"cbrt", [](double x) { return std::cbrt(x); }, whole_cbrt},
    {"rcbrt", [](double x) { return 1 / std::cbrt(x); }},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, whole_sigmoid},
    {"softsign", [](double x) { return x / (1 + std::abs(x)); }, whole_softsign},
    {"erf", [](double x) { return std::erf(x); }},
    {"erfinv", [](double x) { return std::abs(x) == 1 ? kInfinity : 0; }},
    {"gamma", [](double x) { return std::tgamma(x); }},
    {"gammaln", [](double x) { return std::lgamma(x); }, whole_gammaln},
};

const IntegerFunction* find(std::string_view name) {
  for (const auto& function : kFunctions) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

}  // namespace

std::int64_t cut_to_integer(double number, DType dtype) {
  if (dtype == DType::kInt64) {
    return std::abs(number) < 0x1p63 ? static_cast<std::int64_t>(number) : INT64_MIN;
  }
  const std::int32_t cut =
      std::abs(number) < 0x1p31 ? static_cast<std::int32_t>(number) : INT32_MIN;
  if (dtype == DType::kInt8) return static_cast<std::int8_t>(cut);
  if (dtype == DType::kUint8) return static_cast<std::uint8_t>(cut);
  return cut;
}

Value cut_to_integer(Builder& b, Value value, DType dtype) {
  const DType from = b.dtype(value);
  const double end = dtype == DType::kInt64 ? 0x1p63 : 0x1p31;
  const Value fits = b.binary("Less", b.unary("Abs", value), b.scalar(from, end));
  return b.cast(b.where(fits, value, b.scalar(from, -end)), dtype);
}

Value byte_function(Builder& b, const std::function<double(double)>& exact, Value x) {
  const bool is_signed = b.dtype(x) == DType::kInt8;
  const Value table = table_of(b, b.dtype(x), is_signed ? 127 : 255, is_signed ? -128 : 0, exact);
  return look_up(b, table, b.cast(x, DType::kInt32));
}

bool has_integer_function(std::string_view name) { return find(name) != nullptr; }

Value integer_function(Builder& b, std::string_view name, Value x) {
  const IntegerFunction& function = *find(name);
  if (is_byte(b.dtype(x))) return byte_function(b, function.exact, x);
  return function.emit == nullptr ? settling(b, function.exact, x) : function.emit(b, x);
}

}  // namespace mx2onnx
