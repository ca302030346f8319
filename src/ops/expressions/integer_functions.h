// Functions of whole numbers whose values are not whole. MXNet 1.9.1 computes them in float64 with
// the C library and cuts the value to the integer dtype as x86's instructions do: what does not
// fit, and NaN, is the least int32 (int64), of which int8 and uint8 keep the last byte, 0.
// Measured: all int8 and uint8, and corners of int32 and int64, of every function.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "onnx/builder.h"

namespace mx2onnx {

/// True if there is such a function, by MXNet's name.
bool has_integer_function(std::string_view name);

/// The function of each element of an integer array.
onnx::Value integer_function(onnx::Builder& b, std::string_view name, onnx::Value x);

/// Any function of each element of an int8 or uint8 array, cut.
onnx::Value byte_function(onnx::Builder& b, const std::function<double(double)>& exact,
                          onnx::Value x);

/// A floating value cut to an integer dtype of 32 or 64 bits; the least number where it does not
/// fit.
onnx::Value cut_to_integer(onnx::Builder& b, onnx::Value value, DType dtype);

/// The same of a number; for 8 bits, too.
std::int64_t cut_to_integer(double number, DType dtype);

}  // namespace mx2onnx
