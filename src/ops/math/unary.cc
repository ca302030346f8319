// Element-wise functions of one array (src/operator/tensor/elemwise_unary_op_*.cc), a table over
// one translation, and clip and smooth_l1.
//
// MXNet computes on integers in float32 or float64 and cuts the result towards zero.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "onnx/opset.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/expressions/notes.h"
#include "ops/math/unary_functions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value number(Builder& b, Value like, double value) { return b.scalar(b.dtype(like), value); }

void translate_unary(const UnaryRow& row, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  if (!is_integer(dtype)) return t.set_output(0, row.of(b, x));
  t.set_output(0, unary_of_integers(b, row, x));
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
