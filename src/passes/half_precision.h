// A float32 graph in half precision: what products are made of in float16, and float32 where that
// would lose too much (half_rules.h), with casts in between. Like the passes it works on ONNX
// alone, but it changes the numbers, so that it only runs when it is asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "onnx/graph.h"
#include "passes/half_plan.h"
#include "passes/half_weights.h"

namespace mx2onnx::passes {

struct HalfResult {
  std::size_t num_half = 0;  ///< Nodes of the main body that take or make the half type.
  std::vector<KeptNodes> kept;
  /// Of every rounded weight; filled while they are written.
  std::vector<std::shared_ptr<RoundingLosses>> losses;
  std::vector<std::string> unmatched;  ///< Patterns of `keep` that name nothing.
};

HalfResult to_half_precision(onnx::Graph& graph, const HalfOptions& options);

}  // namespace mx2onnx::passes
