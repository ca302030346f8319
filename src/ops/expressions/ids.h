// Indices as MXNet has them, floating-point numbers that may be out of range, as ONNX wants them.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

/// int64 in [0, size): cut towards zero, and those without an element are the first or the last.
/// Bounded as float before the cast, where float has all of the indices: runtimes that know no Clip
/// of integers take that.
onnx::Value clipped_ids(onnx::Builder& b, onnx::Value ids, const Dim& size);

}  // namespace mx2onnx
