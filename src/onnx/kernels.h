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

/// True if QuantizeLinear and DequantizeLinear have kernels; with `by_axis`, with a scale for each
/// index along an axis.
bool runs_quantize_linear(const Builder& b, bool by_axis = false);

/// Whether DequantizeLinear of int8 gets a zero point of 0 for ONNX Runtime, which moves the node
/// over a reshape or a transposition. Without one it moves it as one of uint8 up to opset 20; with
/// one it fails from opset 21 on (1.32), where it says that int8 is what it made uint8 of.
bool wants_int8_zero_point(const Builder& b);

}  // namespace mx2onnx::onnx
