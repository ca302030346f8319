// What may be computed in half precision, and what stays float32 and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "onnx/graph.h"

namespace mx2onnx::passes {

enum class HalfRule : std::uint8_t {
  kNarrow,  ///< Computes in half precision: its work is products, and its sums are wide.
  kFollow,  ///< In half precision if all that it takes is.
  kKeep,    ///< Stays float32.
};

struct OperatorPrecision {
  HalfRule rule;
  /// Bit i: its input i are positions, ids or an order, so that all that computes them from wide
  /// values stays float32, too.
  std::uint32_t positions = 0;
  std::string_view reason;  ///< Of kKeep.
};

/// The rule for a node with these types. Operators that the table does not have stay float32.
OperatorPrecision precision_of(const onnx::Graph& graph, const onnx::Node& node);

}  // namespace mx2onnx::passes
