// Element-wise functions of two arrays, with the results that MXNet 1.9.1 has in every dtype: what
// the elementwise, broadcast and scalar families share, written once.
#pragma once

#include <string>
#include <string_view>

#include "ops/record/op_def.h"

namespace mx2onnx {

struct BinaryFunction {
  /// As a formula, with "{0}" and "{1}" for the operands.
  std::string_view formula;
  /// The function of two values of one dtype (not bool), broadcast as ONNX does. The result has
  /// that dtype too: a comparison gives 0 and 1.
  onnx::Value (*emit)(onnx::Builder& b, onnx::Value lhs, onnx::Value rhs);
  /// A known limit; may be empty.
  std::string_view note;

  std::string text(std::string_view lhs, std::string_view rhs) const;
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
