#include "ops/expressions/real_functions.h"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <numbers>

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value number(Builder& b, Value like, double value) { return b.scalar(b.dtype(like), value); }

Value less(Builder& b, Value x, double value) { return b.binary("Less", x, number(b, x, value)); }

// The highest coefficient first.
Value polynomial(Builder& b, Value x, std::initializer_list<double> coefficients) {
  Value sum;
  for (const double c : coefficients) {
    sum = sum.present() ? b.add(b.mul(sum, x), number(b, x, c)) : number(b, x, c);
  }
  return sum;
}

// An odd function, of its values for what is not negative.
Value with_sign_of(Builder& b, Value x, Value magnitude) {
  return b.where(less(b, x, 0), b.unary("Neg", magnitude), magnitude);
}

Value half(Builder& b, Value x) { return b.mul(x, number(b, x, 0.5)); }

Value tan(Builder& b, Value x) { return b.div(b.unary("Sin", x), b.unary("Cos", x)); }

// Cephes: the argument brought below 0.66, and a rational function of it.
Value atan(Builder& b, Value x) {
  const double far_from = std::tan(3 * std::numbers::pi / 8);
  const Value a = b.unary("Abs", x);
  const Value one = number(b, x, 1);
  const Value is_near = b.unary("Not", b.binary("Greater", a, number(b, x, 0.66)));
  const Value is_far = b.binary("Greater", a, number(b, x, far_from));
  const Value middle = b.div(b.sub(a, one), b.add(a, one));
  const Value far = b.unary("Neg", b.unary("Reciprocal", a));
  const Value y = b.where(is_near, a, b.where(is_far, far, middle));
  const auto choose = [&](double in_middle, double at_far) {
    return b.where(is_near, number(b, x, 0),
                   b.where(is_far, number(b, x, at_far), number(b, x, in_middle)));
  };
  // What of pi / 2 a float64 does not hold.
  constexpr double kMore = 6.123233995736765886130e-17;
  const Value z = b.mul(y, y);
  const Value above = polynomial(
      b, z,
      {-8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1,
       -1.228866684490136173410e2, -6.485021904942025371773e1});
  const Value below =
      polynomial(b, z,
                 {1.0, 2.485846490142306297962e1, 1.650270098316988542046e2,
                  4.328810604912902668951e2, 4.853903996359136964868e2, 1.945506571482613964425e2});
  const Value rest = b.add(b.mul(y, b.mul(z, b.div(above, below))), y);
  const Value base = choose(std::numbers::pi / 4, std::numbers::pi / 2);
  return with_sign_of(b, x, b.add(base, b.add(rest, choose(kMore / 2, kMore))));
}

Value asin(Builder& b, Value x) {
  const Value one = number(b, x, 1);
  const Value cosine = b.unary("Sqrt", b.mul(b.sub(one, x), b.add(one, x)));
  return b.mul(atan(b, b.div(x, b.add(one, cosine))), number(b, x, 2));
}

Value acos(Builder& b, Value x) {
  const Value one = number(b, x, 1);
  const Value tangent = b.unary("Sqrt", b.div(b.sub(one, x), b.add(one, x)));
  return b.mul(atan(b, tangent), number(b, x, 2));
}

// Half of e^|x|, which overflows later than e^|x| does.
Value half_exponential(Builder& b, Value magnitude) {
  const Value root = b.unary("Exp", half(b, magnitude));
  return b.mul(half(b, root), root);
}

Value sinh(Builder& b, Value x) {
  constexpr double kFar = 22;
  const Value a = b.unary("Abs", x);
  const Value above_one = expm1(b, a);
  const Value near = half(b, b.add(above_one, b.div(above_one, b.add(above_one, number(b, x, 1)))));
  return with_sign_of(b, x, b.where(less(b, a, kFar), near, half_exponential(b, a)));
}

Value cosh(Builder& b, Value x) {
  const Value half_of = half_exponential(b, b.unary("Abs", x));
  return b.add(half_of, b.div(number(b, x, 0.25), half_of));
}

// From here on the 1 in x^2 + 1 is lost, and the square not far from being infinite.
constexpr double kFarSquare = 1e9;

Value asinh(Builder& b, Value x) {
  const Value a = b.unary("Abs", x);
  const Value one = number(b, x, 1);
  const Value square = b.mul(a, a);
  const Value root = b.add(one, b.unary("Sqrt", b.add(square, one)));
  const Value near = log1p(b, b.add(a, b.div(square, root)));
  const Value far = b.add(b.unary("Log", a), number(b, x, std::numbers::ln2));
  return with_sign_of(b, x, b.where(less(b, a, kFarSquare), near, far));
}

Value acosh(Builder& b, Value x) {
  const Value above_one = b.sub(x, number(b, x, 1));
  const Value root = b.unary("Sqrt", b.mul(above_one, b.add(above_one, number(b, x, 2))));
  const Value near = log1p(b, b.add(above_one, root));
  const Value far = b.add(b.unary("Log", x), number(b, x, std::numbers::ln2));
  const Value value = b.where(less(b, x, kFarSquare), near, far);
  return b.where(less(b, x, 1), number(b, x, std::nan("")), value);
}

Value atanh(Builder& b, Value x) {
  const Value a = b.unary("Abs", x);
  const Value ratio = b.div(b.add(a, a), b.sub(number(b, x, 1), a));
  return with_sign_of(b, x, half(b, log1p(b, ratio)));
}

Value softsign(Builder& b, Value x) { return b.div(x, b.add(b.unary("Abs", x), number(b, x, 1))); }

// As MXNet, which takes x itself beyond 20.
Value softplus(Builder& b, Value x) {
  const Value is_far = b.binary("Greater", x, number(b, x, 20));
  return b.where(is_far, x, log1p(b, b.unary("Exp", x)));
}

// Cephes: ndtr.c.
Value erf(Builder& b, Value x) {
  constexpr double kIsOne = 6;
  const Value z = b.mul(x, x);
  const Value near =
      b.mul(x, b.div(polynomial(b, z,
                                {9.60497373987051638749e0, 9.00260197203842689217e1,
                                 2.23200534594684319226e3, 7.00332514112805075473e3,
                                 5.55923013010394962768e4}),
                     polynomial(b, z,
                                {1.0, 3.35617141647503099647e1, 5.21357949780152679795e2,
                                 4.59432382970980127987e3, 2.26290000613890934246e4,
                                 4.92673942608635921086e4})));
  const Value magnitude = b.unary("Abs", x);
  const Value a = b.binary("Min", magnitude, number(b, x, kIsOne));
  const Value above =
      polynomial(b, a,
                 {2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0,
                  4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2,
                  9.34528527171957607540e2, 1.02755188689515710272e3, 5.57535335369399327526e2});
  const Value below =
      polynomial(b, a,
                 {1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2,
                  9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3,
                  1.65666309194161350182e3, 5.57535340817727675546e2});
  const Value decay = b.unary("Exp", b.unary("Neg", b.mul(a, a)));
  const Value far = b.sub(number(b, x, 1), b.mul(decay, b.div(above, below)));
  return b.where(less(b, magnitude, 1), near, with_sign_of(b, x, far));
}

struct Float64Function {
  std::string_view op_type;
  Value (*emit)(Builder& b, Value x);
};

// Measured with ONNX Runtime 1.32: these have kernels of float32 alone, at every opset.
constexpr Float64Function kFloat64[] = {
    {"Tan", tan},     {"Asin", asin},         {"Acos", acos},   {"Atan", atan},
    {"Sinh", sinh},   {"Cosh", cosh},         {"Asinh", asinh}, {"Acosh", acosh},
    {"Atanh", atanh}, {"Softsign", softsign}, {"Erf", erf},     {"Softplus", softplus},
};

}  // namespace

// tanh(x / 2) * (exp(x) + 1), which keeps its digits near 0.
Value expm1(Builder& b, Value x) {
  const Value tangent = b.unary("Tanh", half(b, x));
  return b.mul(tangent, b.add(b.unary("Exp", x), number(b, x, 1)));
}

// Kahan's: what x loses when it is added to 1 is made good by the same factor. For larger x, which
// may be infinite, there is nothing to make good.
Value log1p(Builder& b, Value x) {
  const Value one = number(b, x, 1);
  const Value sum = b.add(x, one);
  const Value log = b.unary("Log", sum);
  const Value mended = b.mul(log, b.div(x, b.sub(sum, one)));
  const Value near = b.where(b.binary("Equal", sum, one), x, mended);
  return b.where(b.binary("Less", x, one), near, log);
}

Value cbrt(Builder& b, Value x) {
  const Value magnitude = b.binary("Pow", b.unary("Abs", x), number(b, x, 1.0 / 3));
  return b.mul(b.unary("Sign", x), magnitude);
}

// 1 / x is below 0 for -0, too, whose root is -0.
Value rcbrt(Builder& b, Value x) {
  const Value root = b.binary("Pow", b.unary("Abs", x), number(b, x, 1.0 / 3));
  const Value inverse = b.unary("Reciprocal", root);
  const Value is_negative = b.binary("Or", less(b, x, 0), less(b, b.unary("Reciprocal", x), 0));
  return b.where(is_negative, b.unary("Neg", inverse), inverse);
}

// Not the logarithm of ONNX's Sigmoid, which ONNX Runtime does not let become 0.
Value log_sigmoid(Builder& b, Value x) {
  const Value wide = b.cast(x, b.dtype(x) == DType::kFloat16 ? DType::kFloat32 : b.dtype(x));
  const Value above = b.add(b.unary("Exp", b.unary("Neg", wide)), number(b, wide, 1));
  return b.cast(b.unary("Log", b.unary("Reciprocal", above)), b.dtype(x));
}

Value mish(Builder& b, Value x) {
  const Value wide = b.cast(x, b.dtype(x) == DType::kFloat16 ? DType::kFloat32 : b.dtype(x));
  const Value gate = b.unary("Tanh", real_function(b, "Softplus", wide));
  return b.cast(b.mul(wide, gate), b.dtype(x));
}

Value real_function(Builder& b, std::string_view op_type, Value x) {
  if (b.dtype(x) == DType::kFloat64) {
    for (const auto& function : kFloat64) {
      if (function.op_type == op_type) return function.emit(b, x);
    }
  }
  return b.unary(op_type, x);
}

}  // namespace mx2onnx
