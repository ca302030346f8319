// NumPy's element-wise functions of one array (src/operator/numpy/np_elemwise_unary_op_basic.cc).
//
// Of what is not floating, MXNet 2.0 gives float32 or float16 where a function's values are not
// whole; before, it cut them to the array's type as the legacy operators do.
#include <fmt/format.h>

#include <limits>

#include "onnx/opset.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/notes.h"
#include "ops/expressions/promotion.h"
#include "ops/math/unary_functions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct NumpyRow {
  std::vector<std::string> names;
  std::string_view function;  ///< The legacy operator.
  std::string input = "x";
};

// Of every type a result of floating point since MXNet 2.0.
std::vector<NumpyRow> floating_rows() {
  std::vector<NumpyRow> rows;
  for (const std::string name :
       {"rint", "ceil",    "floor",   "trunc",   "fix",     "sqrt",   "cbrt",
        "exp",  "expm1",   "log",     "log10",   "log2",    "log1p",  "sin",
        "cos",  "tan",     "arcsin",  "arccos",  "arctan",  "sinh",   "cosh",
        "tanh", "arcsinh", "arccosh", "arctanh", "degrees", "radians"}) {
    rows.push_back({{"_npi_" + name}, unary_row(name).names.front()});
  }
  return rows;
}

// As the legacy operator.
std::vector<NumpyRow> plain_rows() {
  return {
      {{"_npi_absolute", "_npi_abs"}, "abs"},
      {{"_npi_sign"}, "sign"},
      {{"_npi_square"}, "square"},
      {{"_npi_negative"}, "negative"},
      {{"_npi_reciprocal"}, "reciprocal"},
      {{"_npx_relu"}, "relu", "data"},
      {{"_npx_sigmoid"}, "sigmoid", "data"},
  };
}

void infer_floating(const NoParam& /*p*/, InferContext& c) {
  c.unify_shapes();
  const DType dtype = c.input(0).dtype;
  if (dtype != DType::kUnknown) c.set_output_dtype(0, floating_for(dtype));
}

// Of integers in float32, which is the nearest float16 of what MXNet computes in steps of float32.
void translate_floating(const UnaryRow& row, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  if (is_floating(b.dtype(x))) return t.set_output(0, row.of(b, x));
  const Value wide = b.cast(x, DType::kFloat32);
  const bool is_whole = row.on_integers == OnIntegers::kUnchanged;
  t.set_output(0, b.cast(is_whole ? wide : row.of(b, wide), t.output_type(0).dtype));
}

void translate_plain(const UnaryRow& row, Translation& t) {
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  t.set_output(
      0, is_integer(dtype) ? unary_of_integers(t.b, row, t.input(0)) : row.of(t.b, t.input(0)));
}

// Predicates.

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value is_equal(Builder& b, Value x, double number) {
  return b.binary("Equal", x, b.scalar(b.dtype(x), number));
}

Value is_nan(Builder& b, Value x) { return b.unary("IsNaN", x); }
Value is_infinite(Builder& b, Value x) { return is_equal(b, b.unary("Abs", x), kInfinity); }
Value is_positive_infinity(Builder& b, Value x) { return is_equal(b, x, kInfinity); }
Value is_negative_infinity(Builder& b, Value x) { return is_equal(b, x, -kInfinity); }
Value is_finite(Builder& b, Value x) {
  return b.binary("Less", b.unary("Abs", x), b.scalar(b.dtype(x), kInfinity));
}

struct PredicateRow {
  std::string name;
  std::string summary;
  Value (*emit)(Builder& b, Value x);
};

std::vector<PredicateRow> predicate_rows() {
  return {
      {"_npi_isnan", "Whether each element is NaN.", is_nan},
      {"_npi_isinf", "Whether each element is infinite.", is_infinite},
      {"_npi_isposinf", "Whether each element is infinity.", is_positive_infinity},
      {"_npi_isneginf", "Whether each element is -infinity.", is_negative_infinity},
      {"_npi_isfinite", "Whether each element is a finite number.", is_finite},
  };
}

void infer_predicate(const NoParam& /*p*/, InferContext& c) {
  c.unify_shapes();
  c.set_output_dtype(0, DType::kBool);
}

void translate_predicate(const PredicateRow& row, Translation& t) {
  const Value x = t.input(0);
  const bool is_real = is_floating(t.b.dtype(x));
  t.set_output(0, row.emit(t.b, is_real ? x : t.b.cast(x, DType::kFloat32)));
}

void translate_logical_not(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, t.b.unary("Not", t.b.cast(t.input(0), DType::kBool)));
}

// -1 - x, of unsigned ones 255 - x.
void translate_bitwise_not(const NoParam& /*p*/, Translation& t) {
  const Value x = t.input(0);
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.set_output(0, t.b.unary("Not", x));
  if (!is_integer(dtype)) return t.refuse("MXNet does not compute this on decimals");
  const double all = is_unsigned(dtype) ? integer_range(dtype).second : -1;
  t.set_output(0, binary::kSubtract.in_dtype(t.b, dtype, t.b.scalar(dtype, all), x));
}

struct AroundParam {
  std::int64_t decimals = 0;
  static void declare(AttrDeclarer<AroundParam>& d) {
    d.field("decimals", &AroundParam::decimals)
        .help("how many digits stay behind the point; below 0: zeros before it");
  }
};

// MXNet multiplies or divides by 10 again and again.
constexpr std::int64_t kMostDecimals = 20;

std::vector<AttrProblem> check_around(const AroundParam& p, const CheckContext& /*context*/) {
  if (std::abs(p.decimals) <= kMostDecimals) return {};
  return {
      {"decimals", fmt::format("expected -{0} to {0}, got {1}", kMostDecimals, p.decimals), ""}};
}

Value shifted(Builder& b, Value x, std::string_view op_type, std::int64_t digits) {
  for (std::int64_t i = 0; i < digits; ++i) {
    x = b.binary(op_type, x, b.scalar(b.dtype(x), 10));
  }
  return x;
}

void translate_around(const AroundParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool || dtype == DType::kFloat16) {
    return t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)));
  }
  if (is_integer(dtype) && p.decimals >= 0) return t.set_output(0, x);
  const std::int64_t digits = std::abs(p.decimals);
  const bool is_fine = p.decimals > 0;
  // Integers are divided as in C, so that nothing is left to round.
  const Value wide = is_integer(dtype) ? b.cast(x, DType::kInt64) : x;
  const Value moved = shifted(b, wide, is_fine ? "Mul" : "Div", digits);
  const Value rounded = is_integer(dtype) ? moved : b.unary("Round", moved);
  t.set_output(0, b.cast(shifted(b, rounded, is_fine ? "Div" : "Mul", digits), dtype));
}

struct NanToNumParam {
  double nan = 0;
  std::optional<double> posinf;
  std::optional<double> neginf;
  static void declare(AttrDeclarer<NanToNumParam>& d) {
    d.ignore({"copy"});
    d.field("nan", &NanToNumParam::nan).help("what NaN becomes");
    d.field("posinf", &NanToNumParam::posinf).help("what infinity becomes; None: the largest");
    d.field("neginf", &NanToNumParam::neginf).help("what -infinity becomes; None: the least");
  }
};

double largest_number(DType dtype) {
  if (dtype == DType::kFloat64) return std::numeric_limits<double>::max();
  constexpr double kLargestHalf = 65504;
  return dtype == DType::kFloat16 ? kLargestHalf
                                  : static_cast<double>(std::numeric_limits<float>::max());
}

void translate_nan_to_num(const NanToNumParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  if (!is_floating(dtype)) return t.set_output(0, x);
  const double largest = largest_number(dtype);
  const auto number = [&](double value) { return b.scalar(dtype, value); };
  Value result = b.where(is_nan(b, x), number(p.nan), x);
  result = b.where(is_positive_infinity(b, x), number(p.posinf.value_or(largest)), result);
  t.set_output(0, b.where(is_negative_infinity(b, x), number(p.neginf.value_or(-largest)), result));
}

template <typename P, typename Row>
void add_zero_note(OpDeclarer<P>& declarer, const Row& row) {
  if (changes_zero_sign(row.function)) declarer.note(std::string(kZeroSignNote));
}

}  // namespace

void register_np_unary(Registry& r) {
  const auto add = [&r](const NumpyRow& row) {
    auto declarer = r.add<NoParam>(row.names)
                        .summary(unary_row(row.function).summary)
                        .inputs({{row.input, InputRole::kData}})
                        .any_shape();
    add_zero_note(declarer, row);
    return declarer;
  };
  for (const auto& row : plain_rows()) {
    add(row)
        .infer(infer_same<NoParam>)
        .translate([name = row.function](const NoParam&, Translation& t) {
          translate_plain(unary_row(name), t);
        });
  }
  for (const auto& row : floating_rows()) {
    add(row)
        .infer(infer_floating)
        .translate([name = row.function](const NoParam&, Translation& t) {
          translate_floating(unary_row(name), t);
        })
        .variant(OriginRange::until(1, 9), "integers stay integers", [&](auto& variant) {
          variant.infer(infer_same<NoParam>)
              .translate([name = row.function](const NoParam&, Translation& t) {
                translate_plain(unary_row(name), t);
              });
        });
  }
  for (const auto& row : predicate_rows()) {
    r.add<NoParam>({row.name})
        .summary(row.summary)
        .inputs({{"x", InputRole::kData}})
        .infer(infer_predicate)
        .any_shape()
        .translate([row](const NoParam&, Translation& t) { translate_predicate(row, t); });
  }
  r.add<NoParam>({"_npi_logical_not"})
      .summary("Whether each element is 0.")
      .inputs({{"x", InputRole::kData}})
      .infer(infer_predicate)
      .any_shape()
      .translate(translate_logical_not);
  r.add<NoParam>({"_npi_bitwise_not"})
      .summary("Every bit is the other one.")
      .inputs({{"x", InputRole::kData}})
      .infer(infer_same<NoParam>)
      .any_shape()
      .translate(translate_bitwise_not);
  r.add<AroundParam>({"_npi_around"})
      .summary("The nearest number of so many digits; halves go to the even one.")
      .inputs({{"x", InputRole::kData}})
      .infer(infer_same<AroundParam>)
      .any_shape()
      .translate(translate_around)
      .check(check_around);
  r.add<NanToNumParam>({"_npi_nan_to_num"})
      .summary("What is not a finite number becomes a number.")
      .infer(infer_same<NanToNumParam>)
      .any_shape()
      .translate(translate_nan_to_num);
}

}  // namespace mx2onnx
