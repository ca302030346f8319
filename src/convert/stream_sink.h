// A sink that hands on what it gets.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "base/byte_sink.h"

namespace mx2onnx {

/// Collects pieces of a size that pays, and hands them on. The function must outlive it.
class StreamSink : public ByteSink {
 public:
  explicit StreamSink(const std::function<void(std::span<const std::byte>)>& write)
      : write_(write) {
    buffer_.reserve(kPiece);
  }
  void append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      if (buffer_.size() == kPiece) flush();
      const std::size_t piece = std::min(bytes.size(), kPiece - buffer_.size());
      buffer_.insert(buffer_.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(piece));
      bytes = bytes.subspan(piece);
    }
  }
  void append_range(const MappedFile& file, std::size_t offset, std::size_t size) override {
    while (size > 0) {
      if (buffer_.size() == kPiece) flush();
      const std::size_t begin = buffer_.size();
      const std::size_t piece = std::min(size, kPiece - begin);
      buffer_.resize(begin + piece);
      file.read(offset, std::span(buffer_).subspan(begin));
      offset += piece;
      size -= piece;
    }
  }
  /// To be called at the end.
  void flush() {
    write_(buffer_);
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kPiece = 1 << 20;
  const std::function<void(std::span<const std::byte>)>& write_;
  std::vector<std::byte> buffer_;
};

}  // namespace mx2onnx
