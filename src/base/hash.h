// A 128-bit content hash for finding equal weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace mx2onnx {

using ContentHash = std::pair<std::uint64_t, std::uint64_t>;

/// XXH3-128 of the bytes.
ContentHash content_hash(std::span<const std::byte> bytes);

}  // namespace mx2onnx
