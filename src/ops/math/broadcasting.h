// Shapes that NumPy's rules bring to a common one.
#pragma once

#include "ops/record/infer_context.h"

namespace mx2onnx {

/// The shape of output 0 is the one that all inputs broadcast to. Fails with kModel where numbers
/// say that they do not.
void infer_broadcast_shapes(InferContext& c);

}  // namespace mx2onnx
