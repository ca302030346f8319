// The user's own operators (mx2onnx/custom_operator.h) as records like those of the library.
#pragma once

#include <memory>

#include "mx2onnx/custom_operator.h"
#include "ops/record/op_def.h"

namespace mx2onnx {

/// Fails with kUsage if the operator lacks a name, outputs or a translation. The record keeps the
/// operator.
std::shared_ptr<const OpDef> record_of(const std::shared_ptr<const CustomOperator>& custom,
                                       int opset, DimArena& arena);

}  // namespace mx2onnx
