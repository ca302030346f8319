#include "base/buffered_sink.h"

#include <algorithm>

#include "base/interruption.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kBufferSize = 1 << 20;
constexpr std::size_t kPages = 1 << 16;  // file systems take them in folios of several
constexpr std::size_t kWorthAWrite = 1 << 18;

}  // namespace

BufferedSink::BufferedSink() { buffer_.reserve(kBufferSize); }

// Always whole pages, so that the writes line up with those of a file.
std::size_t BufferedSink::room_for(std::size_t size) {
  if (buffer_.size() == kBufferSize) {
    interruption_point();
    flush();
  }
  return std::min(size, kBufferSize - buffer_.size());
}

void BufferedSink::append(std::span<const std::byte> bytes) {
  if (bytes.size() >= kWorthAWrite) bytes = bytes.subspan(write_most(bytes));
  while (!bytes.empty()) {
    const auto piece = bytes.first(room_for(bytes.size()));
    buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
  }
}

// Without a copy of more than what makes the pages whole.
std::size_t BufferedSink::write_most(std::span<const std::byte> bytes) {
  interruption_point();
  const std::size_t head = (kPages - buffer_.size() % kPages) % kPages;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(head));
  if (!buffer_.empty()) flush();
  const std::size_t pages = (bytes.size() - head) / kPages * kPages;
  write_piece(bytes.subspan(head, pages));
  return head + pages;
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
