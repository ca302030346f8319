// Where bytes go: a file, or memory. A sink also takes ranges of mapped files, so that weights can
// travel from file to file without passing through this process.
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

/// Writes a file that appears under its name only when it is complete.
///
/// Until `commit` the bytes lie in a file without a name (or, where the file system has no such
/// thing, in a temporary file beside the target), so that neither a failure nor a killed process
/// leaves anything behind or damages what was there. A target that is not a regular file (a device,
/// a pipe) is written directly. Every failure is an Error with code kIo.
class FileSink : public ByteSink {
 public:
  explicit FileSink(std::string path);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  void append(std::span<const std::byte> bytes) override;
  void append_range(const MappedFile& file, std::size_t offset, std::size_t size) override;
  /// Bytes appended so far.
  std::uint64_t size() const { return size_; }
  /// Flushes and gives the file its name, replacing what had it.
  void commit();

 private:
  enum class Kind { kUnnamed, kTemporary, kDirect };
  void open();
  void flush();
  void write_all(std::span<const std::byte> bytes);
  [[noreturn]] void fail_write(int error) const;

  std::string path_;       // as the user gave it, for messages
  std::string target_;     // with symbolic links resolved
  std::string temporary_;  // the name that the file has before its own
  Kind kind_ = Kind::kTemporary;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace mx2onnx
