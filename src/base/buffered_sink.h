// A sink that gathers pieces of a size that pays.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/byte_sink.h"

namespace mx2onnx {

class BufferedSink : public ByteSink {
 public:
  void append(std::span<const std::byte> bytes) override;
  void append_range(const MappedFile& file, std::size_t offset, std::size_t size) override;

 protected:
  BufferedSink();
  /// Writes what is left, without an interruption.
  void flush();

 private:
  virtual void write_piece(std::span<const std::byte> piece) = 0;
  /// Makes room, and gives how much of `size` bytes goes into the buffer.
  std::size_t room_for(std::size_t size);
  /// Writes what lies in the buffer and as many of the bytes as whole pages take, and gives how
  /// many these are.
  std::size_t write_most(std::span<const std::byte> bytes);

  std::vector<std::byte> buffer_;
};

}  // namespace mx2onnx
