// Element-wise functions of an array and a number
// (src/operator/tensor/elemwise_binary_scalar_op_*.cc).
//
// The number takes the array's dtype: for an integer array 2.5 is 2. Only where the newer attribute
// `is_int` says that it was written as a decimal does an integer array become float64. A bool array
// becomes int64 or float64. Comparisons have the same dtypes.
#include <fmt/format.h>

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

struct ScalarRow {
  const BinaryFunction& function;
  std::vector<std::string> names;
  bool reversed = false;  ///< The number is on the left.
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

DType result_dtype(const ScalarParam& p, DType data) {
  if (!p.is_int && (is_integer(data) || data == DType::kBool)) return DType::kFloat64;
  return data == DType::kBool ? DType::kInt64 : data;
}

void infer_scalar(const ScalarParam& p, InferContext& c) {
  c.unify_shapes();
  // MXNet guesses the input's dtype from the output's only where nothing else says it.
  if (c.input(0).dtype == DType::kUnknown) c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, result_dtype(p, c.input(0).dtype));
}

void translate_scalar(const ScalarRow& row, const ScalarParam& p, Translation& t) {
  const DType dtype = t.output_type(0).dtype;
  if (!has_defined_value(p.scalar, dtype)) {
    return t.refuse(fmt::format("the number {:g} does not fit {}", p.scalar, dtype_name(dtype)));
  }
  const Value data = t.b.cast(t.input(0), dtype);
  const Value number = t.b.scalar(dtype, p.scalar);
  // Of an integer dtype 0.5 is 0, and so is 256 of uint8.
  const bool is_zero = is_integer(dtype) && read_ints(*t.b.graph().constant(number))[0] == 0;
  if (&row.function == &binary::kDivide && is_zero) return t.refuse("divides integers by 0");
  t.set_output(0, row.reversed ? row.function.emit(t.b, number, data)
                               : row.function.emit(t.b, data, number));
}

}  // namespace

void register_scalar(Registry& r) {
  for (const auto& row : scalar_rows()) {
    const auto text =
        row.reversed ? row.function.text("scalar", "data") : row.function.text("data", "scalar");
    auto declarer = r.add<ScalarParam>(row.names)
                        .summary(text + ", for each element.")
                        .infer(infer_scalar)
                        .any_shape()
                        .translate([row](const ScalarParam& p, Translation& t) {
                          translate_scalar(row, p, t);
                        });
    if (!row.function.note.empty()) declarer.note(std::string(row.function.note));
  }
}

}  // namespace mx2onnx
