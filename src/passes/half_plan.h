// Which values and nodes of a float32 graph become half precision.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ir/dtype.h"
#include "onnx/graph.h"

namespace mx2onnx::passes {

struct HalfOptions {
  /// kFloat16, or kBfloat16, in which nothing but weights is stored: ONNX Runtime's CPU provider
  /// has no kernels that compute in it.
  DType half = DType::kFloat16;
  /// Float32 inputs and outputs of the graph change their type, too.
  bool ports = false;
  /// Nodes that stay float32, by names and operators, in which `*` is any text.
  std::vector<std::string> keep;
  int opset = 0;
};

/// Nodes that stayed float32 for one reason.
struct KeptNodes {
  std::string op_type;
  std::string_view reason;
  std::size_t count = 0;
};

/// The inputs and outputs of a node that change their type: float32 ones of a group of its schema
/// that has the half type, all of them or none.
struct ChangingPorts {
  std::vector<std::size_t> inputs;
  std::vector<std::size_t> outputs;
};

struct HalfPlan {
  std::vector<ChangingPorts> nodes;  ///< Of each node of the main body.
  std::vector<char> is_half;         ///< Of each value: it is made in half precision.
  std::size_t num_half = 0;          ///< Nodes that change or, of bfloat16, weights.
  std::vector<KeptNodes> kept;
  std::vector<std::string> unmatched;  ///< Patterns of `keep` that name nothing.
};

HalfPlan plan_half_precision(const onnx::Graph& graph, const HalfOptions& options);

}  // namespace mx2onnx::passes
