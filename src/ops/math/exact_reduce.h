// Sums and products of int64 that keep all bits, and overflow as in C, as MXNet's do. ONNX
// Runtime's ReduceSum and ReduceProd go through float64: they are exact up to 2^53, and stop at the
// largest number.
#pragma once

#include <cstdint>
#include <vector>

#include "onnx/builder.h"

namespace mx2onnx {

/// Over the given axes, none of them negative.
onnx::Value exact_sum(onnx::Builder& b, onnx::Value x, const std::vector<std::int64_t>& axes,
                      bool keepdims);
onnx::Value exact_product(onnx::Builder& b, onnx::Value x, const std::vector<std::int64_t>& axes,
                          bool keepdims);

}  // namespace mx2onnx
