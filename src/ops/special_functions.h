// Functions that ONNX has no operator for, composed in float64 so that float32 results are as exact
// as float32 is.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

/// log|gamma(x)| of a float64 value: infinite at 0, -1, -2, …
onnx::Value log_gamma(onnx::Builder& b, onnx::Value x);

}  // namespace mx2onnx
