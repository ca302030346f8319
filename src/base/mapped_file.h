// A file mapped read-only into memory. Its pages belong to the page cache, not to the process.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace mx2onnx {

class MappedFile {
 public:
  /// Maps a regular file. Fails with kIo and the system's words if that is not possible.
  static std::shared_ptr<const MappedFile> open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Reads a range into memory without touching the mapping: what passes through once needs no
  /// pages of its own. Fails with kIo.
  void read(std::size_t offset, std::span<std::byte> into) const;
  /// False for a temporary file, which nobody else can open.
  bool has_name() const;
  /// Whether its path names the very file that was mapped, and nothing was written to it since.
  bool is_as_mapped() const;

 private:
  MappedFile(std::string path, int descriptor, const std::byte* data, std::size_t size,
             std::string state)
      : path_(std::move(path)),
        descriptor_(descriptor),
        data_(data),
        size_(size),
        state_(std::move(state)) {}

  std::string path_;
  int descriptor_;
  const std::byte* data_;
  std::size_t size_;
  std::string state_;  ///< What tells it from another file, or from itself after a change.
};

/// Reads a whole small file (a symbol) into a string. Fails with kIo.
std::string read_text_file(const std::string& path);

}  // namespace mx2onnx
