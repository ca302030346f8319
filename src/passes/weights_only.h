// Weights as int8 or int4 in blocks, in a graph that computes in float32: those of products and
// the rows of embeddings. Like half precision it changes the numbers, so that it only runs when it
// is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/graph.h"
#include "passes/block_weights.h"

namespace mx2onnx::passes {

struct WeightsOptions {
  int bits = 8;  ///< Or 4.
  std::int64_t block = 32;
  /// MatMulNBits of ONNX Runtime's domain instead of DequantizeLinear before a product, where it
  /// computes what that does.
  bool matmul_nbits = false;
  /// Nodes whose weights stay float32, by names and operators, in which `*` is any text.
  std::vector<std::string> keep;
};

/// Weights that stayed float32 for one reason.
struct LeftWeights {
  std::string op_type;
  std::string_view reason;
  std::size_t count = 0;
  std::uint64_t bytes = 0;
};

struct WeightsResult {
  /// Of every weight that is stored so; filled while they are written.
  std::vector<std::shared_ptr<BlockLosses>> losses;
  std::vector<LeftWeights> left;
  std::vector<std::string> unmatched;  ///< Patterns of `keep` that name nothing.
};

WeightsResult store_in_blocks(onnx::Graph& graph, const WeightsOptions& options);

}  // namespace mx2onnx::passes
