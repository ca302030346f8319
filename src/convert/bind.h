// What the variables of a model are: inputs, parameters, or missing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "ops/model.h"

namespace mx2onnx {

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
