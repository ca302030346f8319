// Weights in half precision, rounded while they are written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ir/tensor.h"

namespace mx2onnx::passes {

/// What rounding did to the elements of a weight; known once it is written.
struct RoundingLosses {
  std::string name;
  std::uint64_t clamped = 0;    ///< Finite ones that would have become infinite.
  std::uint64_t subnormal = 0;  ///< That came below the smallest normal number, and not of 0.
};

/// A float32 tensor's elements as float16 or bfloat16, to nearest, ties to even. Finite ones beyond
/// the largest number become that; infinities and NaN stay. None of them is held in memory.
/// `losses` is filled when the bytes are read from front to back.
Tensor rounded_to(DType half, const Tensor& tensor, std::shared_ptr<RoundingLosses> losses);

/// The largest finite number of float16 or bfloat16, and the smallest normal one.
float largest_of(DType half);
float smallest_normal_of(DType half);

}  // namespace mx2onnx::passes
