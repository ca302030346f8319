// Functions that ONNX has no operator for, composed in float64 so that float32 results are as exact
// as float32 is.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

/// gamma(x) of a float64 value.
onnx::Value gamma(onnx::Builder& b, onnx::Value x);

/// The derivative of log_gamma of a float64 value.
onnx::Value digamma(onnx::Builder& b, onnx::Value x);

/// The inverse of erf of a float64 value. float32 results need less than all of its digits
/// (`to_last_digit`).
onnx::Value inverse_erf(onnx::Builder& b, onnx::Value x, bool to_last_digit);

/// log|gamma(x)| of a float64 value: infinite at 0, -1, -2, …
onnx::Value log_gamma(onnx::Builder& b, onnx::Value x);

}  // namespace mx2onnx
