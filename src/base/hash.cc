#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mx2onnx {

ContentHash content_hash(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

}  // namespace mx2onnx
