// Element-wise functions of two arrays with broadcasting
// (src/operator/tensor/elemwise_binary_broadcast_op_*.cc,
// src/operator/numpy/np_elemwise_broadcast_*): the legacy operators, and NumPy's. MXNet lines
// shapes up from the right, as ONNX does. What only broadcasts is in tensor/broadcast_to.cc.
#include <fmt/format.h>

#include "ops/expressions/binary_functions.h"
#include "ops/expressions/broadcasting.h"
#include "ops/expressions/common.h"
#include "ops/expressions/promotion.h"

namespace mx2onnx {
namespace {

/// How the operands' element types become one.
enum class Operands {
  kSame,      ///< They are one. The result has it, too.
  kPromoted,  ///< NumPy's arithmetic: different ones are promoted. The result has that type.
  kQuotient,  ///< As kPromoted, but what is not floating is divided as float32.
  kCompared,  ///< Of any types; the result is bool.
};

/// What the function is computed of.
enum class Domain { kNumbers, kFloats, kIntegers };

struct BroadcastRow {
  const BinaryFunction& function;
  std::vector<std::string> names;
  Operands operands = Operands::kSame;
  Domain domain = Domain::kNumbers;
  std::vector<std::string> inputs = {"lhs", "rhs"};
};

std::vector<BroadcastRow> broadcast_rows() {
  using namespace binary;
  return {
      {kAdd,
       {"broadcast_add", "broadcast_plus", "_sparse_broadcast_add", "_sparse_broadcast_plus"}},
      {kSubtract,
       {"broadcast_sub", "broadcast_minus", "_sparse_broadcast_sub", "_sparse_broadcast_minus"}},
      {kMultiply, {"broadcast_mul", "_sparse_broadcast_mul"}},
      {kDivide, {"broadcast_div", "_sparse_broadcast_div"}},
      {kModulo, {"broadcast_mod"}},
      {kPower, {"broadcast_power"}},
      {kMaximum, {"broadcast_maximum", "_npi_maximum"}},
      {kMinimum, {"broadcast_minimum", "_npi_minimum"}},
      {kHypot, {"broadcast_hypot"}},
      {kEqual, {"broadcast_equal"}},
      {kNotEqual, {"broadcast_not_equal"}},
      {kGreater, {"broadcast_greater", "_npx_broadcast_greater"}},
      {kGreaterEqual, {"broadcast_greater_equal"}},
      {kLesser, {"broadcast_lesser"}},
      {kLesserEqual, {"broadcast_lesser_equal"}},
      {kLogicalAnd, {"broadcast_logical_and"}},
      {kLogicalOr, {"broadcast_logical_or"}},
      {kLogicalXor, {"broadcast_logical_xor"}},
  };
}

std::vector<BroadcastRow> numpy_rows() {
  using namespace binary;
  using enum Operands;
  using enum Domain;
  const std::vector<std::string> numbered{"x1", "x2"};
  return {
      {kAdd, {"_npi_add"}, kPromoted},
      {kSubtract, {"_npi_subtract"}, kPromoted},
      {kMultiply, {"_npi_multiply"}, kPromoted},
      {kModulo, {"_npi_mod"}, kPromoted},
      {kPower, {"_npi_power"}, kPromoted},
      {kDivide, {"_npi_true_divide"}, kQuotient},
      {kFloorDivide, {"_npi_floor_divide"}, kPromoted},
      {kTruncatedModulo, {"_npi_fmod"}},
      {kCopysign, {"_npi_copysign"}},
      {kArctan2, {"_npi_arctan2"}, kPromoted, kFloats, numbered},
      {kHypot, {"_npi_hypot"}, kSame, kFloats, numbered},
      {kLdexp, {"_npi_ldexp"}},
      {kLogAddExp, {"_npi_logaddexp"}, kPromoted, kFloats, numbered},
      {kFmax, {"_npi_fmax"}},
      {kFmin, {"_npi_fmin"}},
      {kGcd, {"_npi_gcd"}, kSame, kIntegers},
      {kLcm, {"_npi_lcm"}, kSame, kIntegers},
      {kBitwiseAnd, {"_npi_bitwise_and"}, kPromoted, kIntegers},
      {kBitwiseOr, {"_npi_bitwise_or"}, kPromoted, kIntegers},
      {kBitwiseXor, {"_npi_bitwise_xor"}, kPromoted, kIntegers},
      {kLeftShift, {"_npi_bitwise_left_shift"}, kPromoted, kIntegers},
      {kRightShift, {"_npi_bitwise_right_shift"}, kPromoted, kIntegers},
      {kEqual, {"_npi_equal"}, kCompared},
      {kNotEqual, {"_npi_not_equal"}, kCompared},
      {kGreater, {"_npi_greater"}, kCompared},
      {kGreaterEqual, {"_npi_greater_equal"}, kCompared},
      {kLesser, {"_npi_less"}, kCompared},
      {kLesserEqual, {"_npi_less_equal"}, kCompared},
      {kLogicalAnd, {"_npi_logical_and"}, kCompared},
      {kLogicalOr, {"_npi_logical_or"}, kCompared},
      {kLogicalXor, {"_npi_logical_xor"}, kCompared},
  };
}

DType quotient_dtype(DType lhs, DType rhs) {
  const DType common = promoted(lhs, rhs);
  return is_floating(common) ? common : DType::kFloat32;
}

void infer_dtypes(Operands operands, InferContext& c) {
  const DType lhs = c.input(0).dtype;
  const DType rhs = c.input(1).dtype;
  const bool both_known = lhs != DType::kUnknown && rhs != DType::kUnknown;
  switch (operands) {
    case Operands::kSame:
      return c.unify_dtypes();
    case Operands::kPromoted:
      if (both_known) return c.set_output_dtype(0, promoted(lhs, rhs));
      // MXNet takes one operand's type for that of the other, which may be known later here.
      return is_floating(lhs) || is_floating(rhs) ? c.unify_dtypes() : void();
    case Operands::kQuotient:
      if (both_known) c.set_output_dtype(0, quotient_dtype(lhs, rhs));
      return;
    case Operands::kCompared:
      return c.set_output_dtype(0, DType::kBool);
  }
}

// Before MXNet 2.0 only arrays of one type were compared.
void infer_compared_alike(const NoParam& /*p*/, InferContext& c) {
  if (c.input(0).dtype == DType::kUnknown) c.set_input_dtype(0, c.input(1).dtype);
  c.set_input_dtype(1, c.input(0).dtype);
  infer_dtypes(Operands::kCompared, c);
  infer_broadcast_shapes(c);
}

DType computed_in(Operands operands, DType lhs, DType rhs) {
  if (operands == Operands::kQuotient) return quotient_dtype(lhs, rhs);
  return operands == Operands::kCompared ? exact_common(lhs, rhs) : promoted(lhs, rhs);
}

bool computes(const BroadcastRow& row, DType dtype) {
  if (dtype == DType::kBool) return row.function.on_bool != nullptr;
  return row.domain == Domain::kNumbers || is_floating(dtype) == (row.domain == Domain::kFloats);
}

void translate_numpy(const BroadcastRow& row, Translation& t) {
  const DType dtype = computed_in(row.operands, t.input_type(0).dtype, t.input_type(1).dtype);
  if (!computes(row, dtype)) {
    return t.refuse(fmt::format("MXNet does not compute this on {}", dtype_name(dtype)),
                    "cast the inputs in the model");
  }
  t.set_output(0, row.function.in_dtype(t.b, dtype, t.input(0), t.input(1)));
}

}  // namespace

void register_broadcast(Registry& r) {
  const auto add = [&r](const BroadcastRow& row) {
    std::vector<InputDef> inputs;
    for (const auto& name : row.inputs) inputs.push_back({name, InputRole::kData});
    auto declarer = r.add<NoParam>(row.names)
                        .summary(row.function.text(row.inputs[0], row.inputs[1]) +
                                 ", broadcast to a common shape.")
                        .inputs(std::move(inputs))
                        .infer([operands = row.operands](const NoParam&, InferContext& c) {
                          infer_dtypes(operands, c);
                          infer_broadcast_shapes(c);
                        });
    if (!row.function.note.empty()) declarer.note(std::string(row.function.note));
    return declarer;
  };
  for (const auto& row : broadcast_rows()) {
    add(row).translate([function = &row.function](const NoParam&, Translation& t) {
      translate_binary(*function, t);
    });
  }
  for (const auto& row : numpy_rows()) {
    auto declarer =
        add(row).translate([row](const NoParam&, Translation& t) { translate_numpy(row, t); });
    if (row.operands == Operands::kCompared) {
      declarer.variant(OriginRange::until(1, 9), "the operands have one element type",
                       [](auto& variant) { variant.infer(infer_compared_alike); });
    }
  }
}

}  // namespace mx2onnx
