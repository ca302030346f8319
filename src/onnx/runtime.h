// What ONNX Runtime lacks at some opsets though ONNX has it.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx::onnx {

/// Whether ONNX Runtime has kernels for the opset's RandomUniform and RandomNormal.
bool draws_random(const Builder& b);

}  // namespace mx2onnx::onnx
