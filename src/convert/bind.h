// From a symbol to a Model: operators are resolved, attributes parsed, what the outputs need is
// marked, and every variable gets its role.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "convert/problems.h"
#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "ops/model.h"
#include "ops/registry.h"

namespace mx2onnx {

/// Resolves the operators of all nodes that the outputs need, and collects what is not supported at
/// the opset: unknown operators, bad and unsupported attributes, wrong numbers of inputs.
Model resolve_operators(mxnet::Symbol symbol, const Registry& registry, int opset,
                        std::vector<NodeProblem>& problems);

/// Gives every live variable its role. Fails with kModel and a list if parameters are missing
/// (unless they may be random), and with kUsage if the user names an input that does not exist.
void assign_roles(Model& model, const mxnet::ParameterSet& params, const ConvertOptions& options,
                  Report& report);

/// Sizes that inference found not to be free, by name.
using FixedSizes = std::map<std::string, Dim, std::less<>>;

/// Writes into the variables what files and the user say of their types.
void declare_types(Model& model, const ConvertOptions& options, const FixedSizes& fixed,
                   DimArena& arena);

}  // namespace mx2onnx
