// Functions of one array that ONNX lacks, or that ONNX Runtime does not compute in float64, put
// together from those that it does, to the last digits of the element type.
#pragma once

#include <string_view>

#include "onnx/builder.h"

namespace mx2onnx {

onnx::Value expm1(onnx::Builder& b, onnx::Value x);
onnx::Value log1p(onnx::Builder& b, onnx::Value x);
onnx::Value cbrt(onnx::Builder& b, onnx::Value x);
onnx::Value rcbrt(onnx::Builder& b, onnx::Value x);
/// As MXNet has it: -inf where e^-x is infinite.
onnx::Value log_sigmoid(onnx::Builder& b, onnx::Value x);
onnx::Value mish(onnx::Builder& b, onnx::Value x);

/// ONNX's operator of one input and no attributes; where ONNX Runtime computes it in float32 only,
/// float64 is put together.
onnx::Value real_function(onnx::Builder& b, std::string_view op_type, onnx::Value x);

}  // namespace mx2onnx
