// Shapes that NumPy's rules bring to a common one.
#pragma once

#include "ops/record/infer_context.h"

namespace mx2onnx {

/// The shape that all inputs broadcast to; unknown if one of theirs is. Fails with kModel where
/// numbers say that they do not.
Shape broadcast_inputs(const InferContext& c);

/// The shape of output 0 is that one.
void infer_broadcast_shapes(InferContext& c);

/// Two numbers of which the first cannot be broadcast to the second; a free size may turn out to
/// fit.
bool clash(const Dim& from, const Dim& to);

/// Whether one shape may broadcast to another, without changing that.
bool may_broadcast_to(const Shape& from, const Shape& to);

}  // namespace mx2onnx
