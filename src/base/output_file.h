// Writing a file that is complete or not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/buffered_sink.h"

namespace mx2onnx {

/// Writes a file that appears under its name only when it is complete.
///
/// Until `commit` the bytes lie in a file without a name (or, where the file system has no such
/// thing, in a temporary file beside the target), so that neither a failure nor a killed process
/// damages what was there. A temporary file goes when a signal ends the process, and what a killed
/// one had to leave goes when the target is written the next time. A target that is not a regular
/// file (a device, a pipe) is written directly. Every failure is an Error with code kIo.
class OutputFile : public BufferedSink {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void append(std::span<const std::byte> bytes) override;
  void append_range(const MappedFile& file, std::size_t offset, std::size_t size) override;
  /// Bytes appended so far.
  std::uint64_t size() const { return size_; }
  /// Flushes and gives the file its name, replacing what had it.
  void commit();
  /// The same with another name in the same folder, which is not a link.
  void commit_as(const std::string& path);

 private:
  enum class Kind { kUnnamed, kTemporary, kDirect };
  void open();
  void open_temporary();
  void link_temporary();
  void write_piece(std::span<const std::byte> bytes) override;
  [[noreturn]] void fail_write(int error) const;

  std::string path_;       // as the user gave it, for messages
  std::string target_;     // with symbolic links resolved
  std::string temporary_;  // the name that the file has before its own
  Kind kind_ = Kind::kTemporary;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace mx2onnx
