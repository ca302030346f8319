// Parameters that are stored under other names than the symbol has for them: what one rule does for
// all of them is done, and otherwise there are rules to suggest.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// Binds the parameters of the nodes `missing` to stored arrays whose names differ by a rule, if
/// there is exactly one rule that gives every one of them an array that fits in shape, and says so
/// in the report (`W-parameters-renamed`). Inputs that the rule maps to a stored array as well
/// become parameters. Returns the stored names that were taken; the model is unchanged if there are
/// none.
std::set<std::string> bind_by_rule(Model& model, const mxnet::ParameterSet& params,
                                   const ConvertOptions& options,
                                   const std::vector<std::size_t>& missing, Report& report);

/// Rules that give stored names to as many of the missing ones as can be guessed, those for many
/// first.
std::vector<RenameRule> suggest_rules(const Model& model, const mxnet::ParameterSet& params,
                                      const std::vector<std::size_t>& missing);

/// The stored names that no variable of the symbol has.
std::vector<std::string> surplus_names(const Model& model, const mxnet::ParameterSet& params);

}  // namespace mx2onnx
