// What the operators have in common that write into an array: index_copy, index_update, index_add.
#pragma once

#include "ops/record/infer_context.h"

namespace mx2onnx {

/// Input 0 and the result have one shape, and one element type with input 2, which is written.
void infer_written(InferContext& c);

}  // namespace mx2onnx
