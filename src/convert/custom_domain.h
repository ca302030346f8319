// Operators that are not translated, as nodes of a domain of their own: for a runtime that has
// kernels for them.
#pragma once

#include <memory>
#include <string>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// The record of an operator of which nothing is known: any attributes and inputs, and as many
/// outputs as the model uses. Their element type is that of the first input and their shape is not
/// known, unless the node says them (`__dtype__`, `__shape__`).
std::shared_ptr<const OpDef> record_in_domain(const std::string& op, const std::string& domain,
                                              std::size_t num_outputs);

}  // namespace mx2onnx
