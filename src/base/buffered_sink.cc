#include "base/buffered_sink.h"

#include <algorithm>

#include "base/interruption.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kBufferSize = 1 << 20;

}  // namespace

BufferedSink::BufferedSink() { buffer_.reserve(kBufferSize); }

// Always whole buffers, so that the writes line up with the pages of a file.
std::size_t BufferedSink::room_for(std::size_t size) {
  if (buffer_.size() == kBufferSize) {
    interruption_point();
    flush();
  }
  return std::min(size, kBufferSize - buffer_.size());
}

void BufferedSink::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(room_for(bytes.size()));
    buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
  }
}

// Reading and writing in pieces is the fastest way to copy a range that begins anywhere: measured
// against copy_file_range, sendfile and writing from the mapping, which pay for pages that do not
// line up.
void BufferedSink::append_range(const MappedFile& file, std::size_t offset, std::size_t size) {
  while (size > 0) {
    const std::size_t piece = room_for(size);
    const std::size_t begin = buffer_.size();
    buffer_.resize(begin + piece);
    file.read(offset, std::span(buffer_).subspan(begin));
    offset += piece;
    size -= piece;
  }
}

void BufferedSink::flush() {
  write_piece(buffer_);
  buffer_.clear();
}

}  // namespace mx2onnx
