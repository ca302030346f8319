// gamma, gammaln, digamma and erfinv (src/operator/mshadow_op.h, special_functions-inl.h,
// contrib/erfinv-inl.h).
#include "ops/expressions/special_functions.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value number(Builder& b, double value) { return b.scalar(DType::kFloat64, value); }
Value vector(Builder& b, const std::vector<double>& values) {
  return b.constant(
      make_tensor_as(DType::kFloat64, {static_cast<std::int64_t>(values.size())}, values));
}
Value is_equal(Builder& b, Value x, double value) { return b.binary("Equal", x, number(b, value)); }
Value less(Builder& b, Value x, double value) { return b.binary("Less", x, number(b, value)); }

Value is_whole(Builder& b, Value x) { return b.binary("Equal", b.unary("Floor", x), x); }

// The sum of factors[k] / (x + first + k).
Value sum_of_fractions(Builder& b, Value x, double first, const std::vector<double>& factors) {
  std::vector<double> offsets;
  for (std::size_t k = 0; k < factors.size(); ++k)
    offsets.push_back(first + static_cast<double>(k));
  const Value divisors = b.add(onnx::unsqueeze(b, x, {-1}), vector(b, offsets));
  return onnx::reduce(b, "ReduceSum", b.div(vector(b, factors), divisors), {-1}, false);
}

// The quotient of two polynomials of one degree, the lowest coefficients first.
Value rational(Builder& b, Value x, const std::vector<double>& above,
               const std::vector<double>& below) {
  std::vector<double> exponents;
  for (std::size_t k = 0; k < above.size(); ++k) exponents.push_back(static_cast<double>(k));
  const Value powers = b.binary("Pow", onnx::unsqueeze(b, x, {-1}), vector(b, exponents));
  const auto polynomial = [&](const std::vector<double>& factors) {
    return onnx::reduce(b, "ReduceSum", b.mul(powers, vector(b, factors)), {-1}, false);
  };
  return b.div(polynomial(above), polynomial(below));
}

// Lanczos's approximation with Godfrey's coefficients: for x > 0,
// gamma(x) = sqrt(2 pi) S(x) / x t^(x + 1/2) e^-t with t = x + kShift, to some 15 digits. The
// division by x comes last: it overflows for the smallest x.
constexpr double kShift = 607.0 / 128 + 0.5;
struct Lanczos {
  Value shifted;
  Value factor;  // sqrt(2 pi) S(x)
};
Lanczos lanczos(Builder& b, Value x) {
  const std::vector<double> factors = {
      57.156235665862923517,     -59.597960355475491248,    14.136097974741747174,
      -0.49191381609762019978,   .33994649984811888699e-4,  .46523628927048575665e-4,
      -.98374475304879564677e-4, .15808870322491248884e-3,  -.21026444172410488319e-3,
      .21743961811521264320e-3,  -.16431810653676389022e-3, .84418223983852743293e-4,
      -.26190838401581408670e-4, .36899182659531622704e-5};
  const double root = std::sqrt(2 * std::numbers::pi);
  const Value sum = b.add(sum_of_fractions(b, x, 1, factors), number(b, 0.99999999999999709182));
  return {b.add(x, number(b, kShift)), b.mul(sum, number(b, root))};
}

// sin(pi x), exact near its zeros.
Value sin_pi(Builder& b, Value x) {
  const Value nearest = b.unary("Floor", b.add(x, number(b, 0.5)));
  const Value sine = b.unary("Sin", b.mul(b.sub(x, nearest), number(b, std::numbers::pi)));
  const Value half = b.mul(nearest, number(b, 0.5));
  return b.where(is_whole(b, half), sine, b.unary("Neg", sine));
}

// x where it is positive, and 1 - x where it is not, for which there is a rule.
struct Reflected {
  Value is_negative;
  Value x;
};
Reflected reflected(Builder& b, Value x) {
  const Value is_negative = less(b, x, 0);
  return {is_negative, b.where(is_negative, b.sub(number(b, 1), x), x)};
}

// Beyond this the function of any dtype is infinite, and no intermediate is not a number.
constexpr double kMostGamma = 175;

}  // namespace

Value gamma(Builder& b, Value x) {
  const auto [is_negative, y] = reflected(b, x);
  const Value bounded = b.binary("Min", y, number(b, kMostGamma));
  const auto [shifted, factor] = lanczos(b, bounded);
  // In two halves, the product of which overflows where the function does.
  const Value exponent = b.mul(b.add(bounded, number(b, 0.5)), number(b, 0.5));
  const Value half = b.binary("Pow", shifted, exponent);
  const Value decay = b.unary("Exp", b.unary("Neg", shifted));
  const Value first = b.mul(b.mul(half, decay), factor);
  const Value positive = b.mul(b.div(first, bounded), half);
  const Value product = b.mul(sin_pi(b, x), positive);
  const Value negative = b.div(number(b, std::numbers::pi), product);
  // Below 0 its poles have no sign, and between those far away there is only 0.
  const Value value = b.where(is_negative, negative, positive);
  const Value is_pole = b.binary("And", is_negative, is_whole(b, x));
  return b.where(is_pole, number(b, std::nan("")), value);
}

Value digamma(Builder& b, Value x) {
  constexpr double kFar = 10;
  const Value is_negative = b.unary("Not", b.binary("Less", number(b, 0), x));
  const Value y = b.where(is_negative, b.sub(number(b, 1), x), x);
  const Value far = b.add(y, number(b, kFar));
  // log(x) - 1/(2 x) - sum B_2k / (2k x^2k)
  const std::vector<double> series = {0,          1.0 / 12,  -1.0 / 120,     1.0 / 252,
                                      -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
  std::vector<double> one(series.size(), 0);
  one[0] = 1;
  const Value inverse = b.unary("Reciprocal", far);
  const Value tail = rational(b, b.mul(inverse, inverse), series, one);
  const Value at_far = b.sub(b.sub(b.unary("Log", far), b.mul(inverse, number(b, 0.5))), tail);
  const std::vector<double> ones(static_cast<std::size_t>(kFar), 1);
  const Value positive = b.sub(at_far, sum_of_fractions(b, y, 0, ones));
  const Value distance = b.sub(x, b.unary("Floor", b.add(x, number(b, 0.5))));
  const Value angle = b.mul(distance, number(b, std::numbers::pi));
  const Value cotangent = b.div(b.unary("Cos", angle), b.unary("Sin", angle));
  const Value negative = b.sub(positive, b.mul(cotangent, number(b, std::numbers::pi)));
  const Value value = b.where(is_negative, negative, positive);
  const Value is_pole = b.binary("And", is_negative, is_whole(b, x));
  return b.where(is_pole, number(b, std::numeric_limits<double>::max()), value);
}

// Wichura's AS 241, PPND16: of p = (1 + x) / 2, so that no digit of a small x is lost.
Value inverse_erf(Builder& b, Value x, bool to_last_digit) {
  const Value q = b.mul(x, number(b, 0.5));
  const Value center =
      b.mul(q, rational(b, b.sub(number(b, 0.180625), b.mul(q, q)),
                        {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                         1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                         3.3430575583588128105e4, 2.5090809287301226727e3},
                        {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2,
                         5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
                         2.8729085735721942674e4, 5.2264952788528545610e3}));
  const Value magnitude = b.unary("Abs", x);
  const Value p = b.mul(b.sub(number(b, 1), magnitude), number(b, 0.5));
  const Value r = b.unary("Sqrt", b.unary("Neg", b.unary("Log", p)));
  Value tail =
      rational(b, b.sub(r, number(b, 1.6)),
               {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                2.27238449892691845833e-2, 7.74545014278341407640e-4},
               {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
                1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
                1.05075007164441684324e-9});
  if (to_last_digit) {
    // Nearer to 1 than float32 can be.
    const Value end =
        rational(b, b.sub(r, number(b, 5)),
                 {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                  2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                  2.71155556874348757815e-5, 2.01033439929228813265e-7},
                 {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                  1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                  1.42151175831644588870e-7, 2.04426310338993978564e-15});
    tail = b.where(less(b, r, 5), tail, end);
  }
  tail = b.where(is_equal(b, magnitude, 1), number(b, kInfinity), tail);
  const Value is_central = less(b, magnitude, 0.85);
  const Value value = b.where(is_central, center, b.mul(b.unary("Sign", x), tail));
  return b.mul(value, number(b, std::numbers::sqrt2 / 2));
}

Value log_gamma(Builder& b, Value x) {
  const auto [is_negative, y] = reflected(b, x);
  const auto [shifted, factor] = lanczos(b, y);
  const Value exponent = b.add(y, number(b, 0.5));
  const Value power = b.sub(b.mul(exponent, b.unary("Log", shifted)), shifted);
  const Value quotient = b.sub(b.unary("Log", factor), b.unary("Log", b.unary("Abs", y)));
  const Value positive = b.add(power, quotient);
  const Value sine = b.unary("Abs", sin_pi(b, x));
  const Value mirror = b.unary("Log", b.div(number(b, std::numbers::pi), sine));
  const Value value = b.where(is_negative, b.sub(mirror, positive), positive);
  const Value is_pole = b.binary("And", is_negative, is_whole(b, x));
  const Value is_infinite = is_equal(b, b.unary("Abs", x), kInfinity);
  return b.where(b.binary("Or", is_infinite, is_pole), number(b, kInfinity), value);
}

}  // namespace mx2onnx
