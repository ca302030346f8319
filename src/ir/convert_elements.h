// Element types of many elements at a time, by the processor's own instructions where it has them.
#pragma once

#include <cstddef>
#include <span>

#include "ir/dtype.h"

namespace mx2onnx {

/// Converts elements of one type to as many of another; `from` and `to` may be unaligned and must
/// not overlap. The result is the same on every processor:
/// - to floating types, rounded to the nearest, ties to even; beyond the largest, infinity. A
///   float64 becomes float32 before it becomes float16 or bfloat16, as in MXNet's `Cast`.
/// - from floating types to integers, cut towards zero; NaN gives 0, and what 64 bits do not hold
///   their nearest. Integers that are too large for the type lose their upper bits.
/// - to bool, whether it is not 0.
void convert_elements(DType from_type, std::span<const std::byte> from, DType to_type,
                      std::span<std::byte> to);

}  // namespace mx2onnx
