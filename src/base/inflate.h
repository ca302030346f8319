// Unpacking of what the program itself brings along, in memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mx2onnx {

/// A zlib stream that becomes `size` bytes. For data that was made when the program was built:
/// fails with kInternal if it is damaged.
std::vector<unsigned char> inflate_own(std::span<const unsigned char> packed, std::size_t size);

}  // namespace mx2onnx
