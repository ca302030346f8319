// From a symbol to a Model: operators are found, attributes parsed, what the outputs need is
// marked, in subgraphs as well.
#pragma once

#include <vector>

#include "convert/problems.h"
#include "ops/model.h"
#include "ops/registry.h"

namespace mx2onnx {

/// Resolves the operators of all nodes that the outputs need, and collects what is not supported at
/// the opset: unknown operators, bad and unsupported attributes, wrong numbers of inputs.
Model resolve_operators(mxnet::Symbol symbol, const Registry& registry, int opset,
                        std::vector<NodeProblem>& problems);

}  // namespace mx2onnx
