// What the pieces of oneDNN's quantised operators have in common.
#pragma once

#include <string>
#include <vector>

#include "ops/expressions/common.h"
#include "ops/quantization/onednn_scales.h"

namespace mx2onnx {

/// Shape rules of a range: inputs or outputs `first` and the next, float32 of shape (1).
void infer_range(InferContext& c, std::size_t first);
void infer_range_of_output(InferContext& c, std::size_t first);

/// Fails with kModel unless the input is int8 or uint8, or not known yet.
void expect_quantized(InferContext& c, std::size_t i);

/// The first output has the shape of the first input, and the other way round.
void infer_same_shape(InferContext& c);

/// What a number of steps is multiplied by to stay what it is.
onnx::Value whole_step(onnx::Builder& b);

std::vector<InputDef> data_inputs(const std::vector<std::string>& names);

}  // namespace mx2onnx
