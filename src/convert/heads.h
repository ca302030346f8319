// Outputs that are for training: losses that cannot be converted, and outputs that need a label.
#pragma once

#include <string>
#include <vector>

#include "convert/operator_table.h"
#include "convert/problems.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// As resolve_operators. If nothing but losses stands in the way of a conversion, and each is
/// computed from one value that can be converted, the model comes without these losses: with those
/// values as outputs instead, unless other outputs are computed from them already. Every loss that
/// is left out is a warning (`W-loss-left-out`). The user's own choice of outputs is not touched.
///
/// What is a loss: a node of an operator that is not translated with "loss" in its type or name, or
/// one whose only way to the outputs is through MakeLoss; and no parameter comes in behind it.
Model resolve_for_inference(mxnet::Symbol symbol, OperatorTable& operators,
                            const ConvertOptions& options, std::vector<NodeProblem>& problems,
                            Report& report);

/// Warns of inputs that are named like labels (`W-label-input`) or like parameters
/// (`W-parameter-input`), and says which outputs need none of them. Roles have to be assigned.
void warn_of_training_inputs(const Model& model, const ConvertOptions& options, Report& report);

/// For models that do not convert: the outputs that do, as `--outputs A,B`; empty if there are
/// none, or the user chose the outputs.
std::string outputs_that_convert(const Model& model, const ConvertOptions& options,
                                 const std::vector<NodeProblem>& problems);

}  // namespace mx2onnx
