// A bounds-checked cursor over bytes in little-endian order. Every read that would pass the end
// fails with the offset at which it stood; nothing is allocated on the word of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace mx2onnx {

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes, std::size_t offset = 0)
      : bytes_(bytes), offset_(offset) {}

  std::size_t offset() const { return offset_; }
  /// Which array of several the bytes are of, from 0 on; error texts begin with it.
  void set_array(std::uint64_t index, std::uint64_t count) {
    array_ = index;
    arrays_ = count;
  }
  /// "offset 60", or "array 3 of 5, offset 60".
  std::string place(std::size_t offset) const {
    return arrays_ == 0 ? fmt::format("offset {}", offset)
                        : fmt::format("array {} of {}, offset {}", array_ + 1, arrays_, offset);
  }
  std::size_t remaining() const { return bytes_.size() - offset_; }

  /// Reads an integer; `what` names it in the error text.
  template <typename T>
  T read(std::string_view what) {
    static_assert(std::is_integral_v<T>);
    T value;
    const auto raw = read_bytes(sizeof(T), what);
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

  /// The next `count` bytes, as a view into the underlying bytes.
  std::span<const std::byte> read_bytes(std::uint64_t count, std::string_view what) {
    if (count > remaining()) {
      fail(ErrorCode::kFormat,
           fmt::format("{}: {}: expected {} bytes, found {} before the end of the file",
                       place(offset_), what, count, remaining()));
    }
    const auto view = bytes_.subspan(offset_, static_cast<std::size_t>(count));
    offset_ += view.size();
    return view;
  }

  std::string_view read_text(std::uint64_t count, std::string_view what) {
    const auto raw = read_bytes(count, what);
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t offset_;
  std::uint64_t array_ = 0;
  std::uint64_t arrays_ = 0;
};

}  // namespace mx2onnx
