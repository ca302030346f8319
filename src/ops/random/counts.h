// How often each of several outcomes comes in a number of trials.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

/// Draws how often each outcome comes in `trials` (float64, broadcasting to `shape`), as float64
/// along a new last axis. `chances` (float64) has the outcomes along its last axis and broadcasts
/// likewise before it; the last outcome has what the others leave of 1.
onnx::Value multinomial_counts(onnx::Builder& b, onnx::Value trials, onnx::Value chances,
                               const Shape& shape);

}  // namespace mx2onnx
