// Element-wise functions of two arrays, with the results that MXNet has in every dtype: what the
// elementwise, broadcast and scalar families share, the legacy ones and NumPy's, written once.
#pragma once

#include <string>
#include <string_view>

#include "ops/record/op_def.h"

namespace mx2onnx {

struct BinaryFunction {
  /// As a formula, with "{0}" and "{1}" for the operands.
  std::string_view formula;
  /// The function of two values of one dtype, broadcast as ONNX does. The result has that dtype
  /// too, that of a predicate is bool. Only predicates, and functions with `on_bool`, take bool.
  onnx::Value (*emit)(onnx::Builder& b, onnx::Value lhs, onnx::Value rhs);
  /// A known limit; may be empty.
  std::string_view note;
  /// What NumPy's operator of two bools is, if there is one.
  onnx::Value (*on_bool)(onnx::Builder& b, onnx::Value lhs, onnx::Value rhs) = nullptr;
  bool is_predicate = false;

  std::string text(std::string_view lhs, std::string_view rhs) const;
  /// The function as NumPy's operators have it, of operands that are brought to a dtype.
  onnx::Value in_dtype(onnx::Builder& b, DType dtype, onnx::Value lhs, onnx::Value rhs) const;
  /// The function with a result of the operands' dtype, as the legacy operators have it: that of a
  /// predicate is 0 and 1.
  onnx::Value in_same_dtype(onnx::Builder& b, onnx::Value lhs, onnx::Value rhs) const;
};

namespace binary {

extern const BinaryFunction kAdd;
extern const BinaryFunction kSubtract;
extern const BinaryFunction kMultiply;
/// Integers are divided as in C.
extern const BinaryFunction kDivide;
/// Integers are divided as floats and the quotient is cut.
extern const BinaryFunction kDivideAsFloat;
extern const BinaryFunction kModulo;
extern const BinaryFunction kPower;
extern const BinaryFunction kMaximum;
extern const BinaryFunction kMinimum;
extern const BinaryFunction kHypot;
extern const BinaryFunction kEqual;
extern const BinaryFunction kNotEqual;
extern const BinaryFunction kGreater;
extern const BinaryFunction kGreaterEqual;
extern const BinaryFunction kLesser;
extern const BinaryFunction kLesserEqual;
extern const BinaryFunction kLogicalAnd;
extern const BinaryFunction kLogicalOr;
extern const BinaryFunction kLogicalXor;
// Of NumPy's operators alone (float_pairs.cc).
extern const BinaryFunction kFloorDivide;
extern const BinaryFunction kTruncatedModulo;
extern const BinaryFunction kCopysign;
extern const BinaryFunction kArctan2;
extern const BinaryFunction kLdexp;
extern const BinaryFunction kLogAddExp;
extern const BinaryFunction kFmax;
extern const BinaryFunction kFmin;
// Of integers (integer_pairs.cc).
extern const BinaryFunction kBitwiseAnd;
extern const BinaryFunction kBitwiseOr;
extern const BinaryFunction kBitwiseXor;
extern const BinaryFunction kLeftShift;
extern const BinaryFunction kRightShift;
extern const BinaryFunction kGcd;
extern const BinaryFunction kLcm;

}  // namespace binary

/// The translation of an operator that is such a function of its two inputs.
void translate_binary(const BinaryFunction& function, Translation& t);

/// x^2; of integers with what overflows cut off.
onnx::Value square(onnx::Builder& b, onnx::Value x);

/// "Add", "Sub", "Mul" or "Div" also of the narrow integers that ONNX takes from opset 14 on only:
/// in int32, whose low bits are the result.
onnx::Value narrow_arithmetic(onnx::Builder& b, std::string_view op_type, onnx::Value lhs,
                              onnx::Value rhs);

}  // namespace mx2onnx
