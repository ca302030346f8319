// What ONNX Runtime can run on a CPU, where that is less than what ONNX has. Asked by translations
// that have another way.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx::onnx {

/// True if there is a kernel of RoiAlign at the target opset. With `centered`, pixels are where
/// their centers are.
bool runs_roi_align(const Builder& b, bool centered);

/// The same of MaxRoiPool.
bool runs_max_roi_pool(const Builder& b, DType dtype);

/// The same of RandomUniform and RandomNormal.
bool draws_random(const Builder& b);

/// True if ScatterND can add to what is there, each of several updates of one place.
bool scatters_sums(const Builder& b);

}  // namespace mx2onnx::onnx
