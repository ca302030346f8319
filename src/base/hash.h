// A 128-bit content hash for finding equal weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace mx2onnx {

using ContentHash = std::pair<std::uint64_t, std::uint64_t>;

/// XXH3-128 of the bytes.
ContentHash content_hash(std::span<const std::byte> bytes);

/// The same of bytes that come in pieces.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(const ContentHasher&) = delete;
  ContentHasher& operator=(const ContentHasher&) = delete;
  void add(std::span<const std::byte> bytes);
  ContentHash hash() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mx2onnx
