// What the variables of a model are: inputs, parameters, or missing.
#pragma once

#include <string>
#include <vector>

#include "ir/dim_solve.h"
#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// Gives every live variable its role. Fails with kModel and a list if parameters are missing
/// (unless they may be random), and with kUsage if the user names an input that does not exist.
void assign_roles(Model& model, const mxnet::ParameterSet& params, const ConvertOptions& options,
                  Report& report);

/// What is taken from the shapes that files have for inputs of a model, which are those that it was
/// trained with.
enum class TrainedShapes { kRank, kAllButBatch, kAll };

/// Writes into the variables what files and the user say of their types, and puts in the sizes that
/// inference found not to be free, one after the other.
void declare_types(Model& model, const ConvertOptions& options, TrainedShapes trained,
                   const std::vector<SizeSolution>& fixed, DimArena& arena);

/// Whether the file has a whole shape for an input that the user does not describe.
bool has_trained_shape(const Model& model, const ConvertOptions& options);

}  // namespace mx2onnx
