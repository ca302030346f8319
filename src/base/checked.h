// Arithmetic on sizes and attributes. Numbers in a file may be any that 64 bits hold; what is
// computed of them either is right or fails in the name of the node that the ErrorScope says.
//
// Sums of up to three numbers, and twice a number, need no check: no attribute and no size passes
// kLargestSize, which the readers, the attributes' schema and Dim see to. Products go through here
// or through Dim.
#pragma once

#include <cstdint>

namespace mx2onnx {

/// The largest size, offset or number of an attribute, and with a minus the least one.
inline constexpr std::int64_t kLargestSize = std::int64_t{1} << 61;

constexpr bool is_size_in_range(std::int64_t value) {
  return value >= -kLargestSize && value <= kLargestSize;
}

// Fail with kModel where the result passes kLargestSize.
std::int64_t checked_add(std::int64_t a, std::int64_t b);
std::int64_t checked_sub(std::int64_t a, std::int64_t b);
std::int64_t checked_mul(std::int64_t a, std::int64_t b);
/// floor(a / b); b is not 0.
std::int64_t floor_div_int(std::int64_t a, std::int64_t b);

}  // namespace mx2onnx
