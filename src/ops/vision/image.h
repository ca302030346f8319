// What operators on images have in common: one image, (height, width, channels).
#pragma once

#include <array>

#include "onnx/builder.h"
#include "ops/expressions/common.h"

namespace mx2onnx {

/// The result is as the image, which has 3 dimensions.
void infer_image(InferContext& c);

/// The image in a dtype; numbers beyond uint8 are its least and largest one, and others are cut as
/// C++ does (saturate_cast of src/operator/image/image_random-inl.h).
onnx::Value saturated(onnx::Builder& b, onnx::Value x, DType dtype);

/// The image from the other end of an axis.
onnx::Value flipped(onnx::Builder& b, onnx::Value x, std::int64_t axis);

/// The principal components of colours, of red, green and blue one after the other.
constexpr std::array<double, 9> kColourComponents = {
    55.46 * -0.5675, 4.794 * 0.7192,  1.148 * 0.4009,  55.46 * -0.5808, 4.794 * -0.0045,
    1.148 * -0.8140, 55.46 * -0.5836, 4.794 * -0.6948, 1.148 * 0.4203};

/// A note on flipping.
constexpr std::string_view kMiddleNote =
    "MXNet leaves the middle row or column of an odd number undefined, unless it writes into its "
    "input; here it stays.";

}  // namespace mx2onnx
