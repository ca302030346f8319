// From a symbol to a Model: operators are found, attributes parsed, what the outputs need is
// marked, in subgraphs as well.
#pragma once

#include <vector>

#include "convert/operator_table.h"
#include "convert/problems.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// Resolves the operators of all nodes that the outputs need, and collects what is not supported at
/// the opset: unknown operators, bad and unsupported attributes, wrong numbers of inputs.
Model resolve_operators(mxnet::Symbol symbol, OperatorTable& operators,
                        std::vector<NodeProblem>& problems);

}  // namespace mx2onnx
