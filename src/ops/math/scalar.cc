// Element-wise functions of an array and a number
// (src/operator/tensor/elemwise_binary_scalar_op_*.cc).
//
// The number takes the array's dtype: for an integer array 2.5 is 2. Only where the newer attribute
// `is_int` says that it was written as a decimal does an integer array become float64. A bool array
// becomes int64 or float64. Comparisons have the same dtypes.
#include <fmt/format.h>

#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct ScalarParam {
  double scalar = 1;
  bool is_int = true;

  static void declare(AttrDeclarer<ScalarParam>& d) {
    d.field("scalar", &ScalarParam::scalar).help("the number");
    d.field("is_int", &ScalarParam::is_int)
        .help("False: the number was a decimal, and integers are computed in float64");
  }
};

/// The element type of the result, and of the operands.
enum class Result {
  kPromoted,  ///< The array's; float64 for integers where the number was a decimal.
  kQuotient,  ///< The array's, float32 for what is not floating.
  kCompared,  ///< bool, of operands as kPromoted has them; a bool array stays bool.
  kInteger,   ///< The array's, which is of integers or bool.
};

struct ScalarRow {
  const BinaryFunction& function;
  std::vector<std::string> names;
  bool reversed = false;  ///< The number is on the left.
  Result result = Result::kPromoted;
};

std::vector<ScalarRow> scalar_rows() {
  using namespace binary;
  return {
      {kAdd, {"_plus_scalar", "_PlusScalar"}},
      {kAdd, {"_scatter_plus_scalar"}},
      {kSubtract, {"_minus_scalar", "_MinusScalar"}},
      {kSubtract, {"_scatter_minus_scalar"}},
      {kSubtract, {"_rminus_scalar", "_RMinusScalar"}, true},
      {kMultiply, {"_mul_scalar", "_MulScalar"}},
      {kDivide, {"_div_scalar", "_DivScalar"}},
      {kDivideAsFloat, {"_rdiv_scalar", "_RDivScalar"}, true},
      {kModulo, {"_mod_scalar", "_ModScalar"}},
      {kModulo, {"_rmod_scalar", "_RModScalar"}, true},
      {kPower, {"_power_scalar", "_PowerScalar"}},
      {kPower, {"_rpower_scalar", "_RPowerScalar"}, true},
      {kMaximum, {"_maximum_scalar", "_MaximumScalar", "_npi_maximum_scalar"}},
      {kMinimum, {"_minimum_scalar", "_MinimumScalar", "_npi_minimum_scalar"}},
      {kHypot, {"_hypot_scalar", "_HypotScalar", "_npi_hypot_scalar"}},
      {kEqual, {"_equal_scalar", "_EqualScalar"}},
      {kNotEqual, {"_not_equal_scalar", "_NotEqualScalar"}},
      {kGreater, {"_greater_scalar", "_GreaterScalar"}},
      {kGreaterEqual, {"_greater_equal_scalar", "_GreaterEqualScalar"}},
      {kLesser, {"_lesser_scalar", "_LesserScalar"}},
      {kLesserEqual, {"_lesser_equal_scalar", "_LesserEqualScalar"}},
      {kLogicalAnd, {"_logical_and_scalar", "_LogicalAndScalar"}},
      {kLogicalOr, {"_logical_or_scalar", "_LogicalOrScalar"}},
      {kLogicalXor, {"_logical_xor_scalar", "_LogicalXorScalar"}},
  };
}

std::vector<ScalarRow> numpy_rows() {
  using namespace binary;
  using enum Result;
  return {
      {kAdd, {"_npi_add_scalar"}},
      {kSubtract, {"_npi_subtract_scalar"}},
      {kSubtract, {"_npi_rsubtract_scalar"}, true},
      {kMultiply, {"_npi_multiply_scalar"}},
      {kModulo, {"_npi_mod_scalar"}},
      {kModulo, {"_npi_rmod_scalar"}, true},
      {kTruncatedModulo, {"_npi_fmod_scalar"}},
      {kTruncatedModulo, {"_npi_rfmod_scalar"}, true},
      {kPower, {"_npi_power_scalar"}},
      {kPower, {"_npi_rpower_scalar"}, true},
      {kDivide, {"_npi_true_divide_scalar"}, false, kQuotient},
      {kDivide, {"_npi_rtrue_divide_scalar"}, true, kQuotient},
      {kFloorDivide, {"_npi_floor_divide_scalar"}},
      {kFloorDivide, {"_npi_rfloor_divide_scalar"}, true},
      {kCopysign, {"_npi_copysign_scalar"}},
      {kCopysign, {"_npi_rcopysign_scalar"}, true},
      {kArctan2, {"_npi_arctan2_scalar"}},
      {kArctan2, {"_npi_rarctan2_scalar"}, true},
      {kLdexp, {"_npi_ldexp_scalar"}},
      {kLdexp, {"_npi_rldexp_scalar"}, true},
      {kLogAddExp, {"_npi_logaddexp_scalar"}},
      {kFmax, {"_npi_fmax_scalar"}},
      {kFmin, {"_npi_fmin_scalar"}},
      {kGcd, {"_npi_gcd_scalar"}, false, kInteger},
      {kLcm, {"_npi_lcm_scalar"}, false, kInteger},
      {kBitwiseAnd, {"_npi_bitwise_and_scalar"}, false, kInteger},
      {kBitwiseOr, {"_npi_bitwise_or_scalar"}, false, kInteger},
      {kBitwiseXor, {"_npi_bitwise_xor_scalar"}, false, kInteger},
      {kLeftShift, {"_npi_bitwise_left_shift_scalar"}, false, kInteger},
      {kLeftShift, {"_npi_rbitwise_left_shift_scalar"}, true, kInteger},
      {kRightShift, {"_npi_bitwise_right_shift_scalar"}, false, kInteger},
      {kRightShift, {"_npi_rbitwise_right_shift_scalar"}, true, kInteger},
      {kEqual, {"_npi_equal_scalar"}, false, kCompared},
      {kNotEqual, {"_npi_not_equal_scalar"}, false, kCompared},
      {kGreater, {"_npi_greater_scalar"}, false, kCompared},
      {kGreaterEqual, {"_npi_greater_equal_scalar"}, false, kCompared},
      {kLesser, {"_npi_less_scalar"}, false, kCompared},
      {kLesserEqual, {"_npi_less_equal_scalar"}, false, kCompared},
      {kLogicalAnd, {"_npi_logical_and_scalar"}, false, kCompared},
      {kLogicalOr, {"_npi_logical_or_scalar"}, false, kCompared},
      {kLogicalXor, {"_npi_logical_xor_scalar"}, false, kCompared},
  };
}

// Of the operands.
DType computed_in(Result result, const ScalarParam& p, DType data) {
  switch (result) {
    case Result::kQuotient:
      return is_floating(data) ? data : DType::kFloat32;
    case Result::kInteger:
      return data;
    case Result::kCompared:
      if (data == DType::kBool) return data;
      break;
    case Result::kPromoted:
      break;
  }
  if (!p.is_int && (is_integer(data) || data == DType::kBool)) return DType::kFloat64;
  return data == DType::kBool ? DType::kInt64 : data;
}

void infer_scalar(Result result, const ScalarParam& p, InferContext& c) {
  c.unify_shapes();
  if (result == Result::kCompared) return c.set_output_dtype(0, DType::kBool);
  const bool is_known = c.input(0).dtype != DType::kUnknown;
  if (result == Result::kQuotient && !is_known) return;
  // MXNet guesses the input's dtype from the output's only where nothing else says it.
  if (!is_known) c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, computed_in(result, p, c.input(0).dtype));
}

// Why MXNet's result is not known; empty if it is.
std::string reason_against(const ScalarRow& row, const ScalarParam& p, DType dtype) {
  if (!has_defined_value(p.scalar, dtype)) {
    return fmt::format("the number {:g} does not fit {}", p.scalar, dtype_name(dtype));
  }
  if (row.result == Result::kInteger && !is_integer(dtype) &&
      (dtype != DType::kBool || row.function.on_bool == nullptr)) {
    return fmt::format("MXNet does not compute this on {}", dtype_name(dtype));
  }
  if (&row.function == &binary::kLogAddExp && is_integer(dtype) && p.scalar <= -1) {
    return "MXNet cuts the logarithm to an integer, which its last digit decides";
  }
  return {};
}

// log(e^x + e^n) for a number n that is not negative, in float64 and cut: less than 1 above the
// larger of both. e^710 is infinite, and what is cut then the least number. (Measured: -800 to 800
// with numbers up to 710.)
Value log_add_exp_of_integers(onnx::Builder& b, DType dtype, Value x, Value number) {
  const auto over = [&](double limit) { return b.binary("Greater", x, b.scalar(dtype, limit)); };
  const double n = static_cast<double>(read_ints(*b.graph().constant(number))[0]);
  const Value larger = b.where(over(n), x, number);
  if (dtype_size(dtype) == 1) return larger;
  const Value least = b.scalar(dtype, dtype == DType::kInt32 ? -0x1p31 : -0x1p63);
  if (n > 709) return onnx::expand(b, least, b.shape(x));
  return b.where(over(709), least, larger);
}

void translate_scalar(const ScalarRow& row, const ScalarParam& p, Translation& t) {
  const DType dtype = computed_in(row.result, p, t.input_type(0).dtype);
  if (const auto reason = reason_against(row, p, dtype); !reason.empty()) return t.refuse(reason);
  const Value data = t.b.cast(t.input(0), dtype);
  const bool as_bool = dtype == DType::kBool;
  const Value number = t.b.scalar(dtype, as_bool ? static_cast<double>(p.scalar != 0) : p.scalar);
  // Of an integer dtype 0.5 is 0, and so is 256 of uint8.
  const bool is_zero = is_integer(dtype) && read_ints(*t.b.graph().constant(number))[0] == 0;
  if (&row.function == &binary::kDivide && is_zero) return t.refuse("divides integers by 0");
  if (&row.function == &binary::kLogAddExp && is_integer(dtype)) {
    return t.set_output(0, log_add_exp_of_integers(t.b, dtype, data, number));
  }
  const Value result = row.reversed ? row.function.in_dtype(t.b, dtype, number, data)
                                    : row.function.in_dtype(t.b, dtype, data, number);
  t.set_output(0, t.b.cast(result, t.output_type(0).dtype));
}

}  // namespace

void register_scalar(Registry& r) {
  const auto add = [&r](const ScalarRow& row) {
    const auto text =
        row.reversed ? row.function.text("scalar", "data") : row.function.text("data", "scalar");
    auto declarer = r.add<ScalarParam>(row.names)
                        .summary(text + ", for each element.")
                        .infer([result = row.result](const ScalarParam& p, InferContext& c) {
                          infer_scalar(result, p, c);
                        })
                        .any_shape()
                        .translate([row](const ScalarParam& p, Translation& t) {
                          translate_scalar(row, p, t);
                        });
    if (!row.function.note.empty()) declarer.note(std::string(row.function.note));
  };
  for (const auto& row : scalar_rows()) add(row);
  for (const auto& row : numpy_rows()) add(row);
}

}  // namespace mx2onnx
