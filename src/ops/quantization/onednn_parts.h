// What the pieces of oneDNN's quantised operators have in common.
#pragma once

#include <cstddef>

#include "ops/expressions/common.h"
#include "ops/quantization/calibrated.h"
#include "ops/quantization/onednn_scales.h"

namespace mx2onnx {

/// Fails with kModel unless the input is int8 or uint8, or not known yet.
void expect_quantized(InferContext& c, std::size_t i);

/// The first output has the shape of the first input, and the other way round.
void infer_same_shape(InferContext& c);

/// What a number of steps is multiplied by to stay what it is.
onnx::Value whole_step(onnx::Builder& b);

}  // namespace mx2onnx
