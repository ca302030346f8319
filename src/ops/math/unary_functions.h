// The element-wise functions of one array that the legacy operators and NumPy's share: a table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onnx/builder.h"

namespace mx2onnx {

/// What the function does with integers.
enum class OnIntegers {
  kCut,        ///< In integer_functions.h.
  kNative,     ///< As with decimals.
  kUnchanged,  ///< Nothing.
  kInFloat32,  ///< Computed in float32 and cut.
  kInFloat64,  ///< Computed in float64 and cut.
  kExact,      ///< A whole number by a rule of its own, `of_integers`.
};

struct UnaryRow {
  std::vector<std::string> names;
  std::string summary;
  OnIntegers on_integers;
  /// ONNX's operator, or a function that emits what it takes.
  std::string_view op_type;
  onnx::Value (*emit)(onnx::Builder& b, onnx::Value x) = nullptr;
  onnx::Value (*of_integers)(onnx::Builder& b, onnx::Value x) = nullptr;

  /// Of floating-point elements, or of all where it is native to integers.
  onnx::Value of(onnx::Builder& b, onnx::Value x) const;
};

/// The legacy operators.
std::vector<UnaryRow> unary_rows();

/// The row of a legacy operator.
const UnaryRow& unary_row(std::string_view name);

/// The function of an integer array as an array of its dtype.
onnx::Value unary_of_integers(onnx::Builder& b, const UnaryRow& row, onnx::Value x);

/// True if the result may be 0 where MXNet's is -0, or the reverse.
bool changes_zero_sign(std::string_view name);

}  // namespace mx2onnx
