// Where bytes go: a file (output_file.h), or memory. A sink also takes ranges of mapped files, so
// that weights can travel from file to file without passing through this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"

namespace mx2onnx {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// Appends `size` bytes of `file` from `offset`; the range lies within the file.
  virtual void append_range(const MappedFile& file, std::size_t offset, std::size_t size) {
    append(file.bytes().subspan(offset, size));
  }
  void append_text(std::string_view text) { append(std::as_bytes(std::span(text))); }
};

/// Collects everything in memory.
class MemorySink : public ByteSink {
 public:
  void append(std::span<const std::byte> bytes) override {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace mx2onnx
