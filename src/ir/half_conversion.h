// Between float32 and float16, of many elements.
#pragma once

#include <cstddef>

namespace mx2onnx {

/// As float_to_half and half_to_float of each of `count` elements, to the last bit; neither side
/// has to be aligned.
void floats_to_halves(const std::byte* from, std::byte* to, std::size_t count);
void halves_to_floats(const std::byte* from, std::byte* to, std::size_t count);

}  // namespace mx2onnx
