// A file without a name: what is unpacked lies there, so that weights are mapped and not held in
// memory. Nothing is left behind, however the process ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/mapped_file.h"

namespace mx2onnx {

class TemporaryFile {
 public:
  /// Creates the file in the system's folder for temporary files (TMPDIR). Fails with kIo.
  TemporaryFile();
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  /// Fails with kIo, above all where the disk is full.
  void append(std::span<const std::byte> bytes);
  std::uint64_t size() const { return size_; }
  /// All that has been appended so far. The mapping outlives this object.
  std::shared_ptr<const MappedFile> map() const;

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace mx2onnx
