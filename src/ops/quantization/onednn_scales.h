// Steps as oneDNN's fused operators have them (GetQuantizeScale of quantization_utils.h).
#pragma once

#include "ops/expressions/quantized.h"

namespace mx2onnx {

/// What one step of int8 or uint8 with this range stands for, in half steps more than there are
/// (Steps::kHalf). A range of 0 has the step that MXNet has then, 1 / INT_MAX.
float kernel_step(DType dtype, double least, double most);
/// The same, without dimensions: a constant if the range is known.
onnx::Value kernel_step(onnx::Builder& b, DType dtype, const Range& range);

/// False, with a refusal, if an end of the range is a constant that is not finite.
bool expect_finite_range(Translation& t, const Range& range);

}  // namespace mx2onnx
