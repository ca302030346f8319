#include "base/unpack.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/interruption.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kPiece = 1 << 18;
constexpr const char* kDamaged = "the file is damaged, or an interrupted download: fetch it again";

// inflateInit2's window bits: gzip's header and trailer are read and checked, or there are none.
constexpr int kGzip = 16 + MAX_WBITS;
constexpr int kRaw = -MAX_WBITS;

class Stream {
 public:
  explicit Stream(int window_bits) {
    require(::inflateInit2(&stream_, window_bits) == Z_OK, "zlib cannot start");
  }
  ~Stream() { ::inflateEnd(&stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  z_stream& operator*() { return stream_; }

 private:
  z_stream stream_ = {};
};

bool is_padding(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

std::uint64_t UnpackLimits::allowed(std::uint64_t packed) const {
  if (chosen) return *chosen;
  return std::min(kMost, std::max(kAlways, std::min(packed, kMost) * kRatio));
}

std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void Unpacker::append(std::span<const std::byte> bytes) {
  const std::uint64_t allowed = limits_.allowed(packed_);
  if (file_->size() + bytes.size() > allowed) {
    fail(ErrorCode::kUsage,
         fmt::format("{} bytes would become more than {} when unpacked", packed_, allowed),
         "if the file can be trusted, allow more with --unpack-limit");
  }
  file_->append(bytes);
}

Unpacker::Range Unpacker::run(std::span<const std::byte> packed, std::uint32_t* raw_crc) {
  const bool gzip = raw_crc == nullptr;
  if (!file_) file_.emplace();
  const auto begin = static_cast<std::size_t>(file_->size());
  std::vector<std::byte> buffer(kPiece);
  Stream stream(gzip ? kGzip : kRaw);
  z_stream& z = *stream;
  for (int status = Z_OK; status != Z_STREAM_END || !packed.empty();) {
    interruption_point();
    if (status == Z_STREAM_END) {
      if (!gzip || is_padding(packed)) break;
      ::inflateReset(&z);  // files of several members are one after another
    }
    const std::size_t given = std::min(packed.size(), std::size_t{1} << 30);
    // zlib does not write to its input.
    z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    z.avail_in = static_cast<uInt>(given);
    z.next_out = reinterpret_cast<Bytef*>(buffer.data());
    z.avail_out = static_cast<uInt>(buffer.size());
    status = ::inflate(&z, Z_NO_FLUSH);
    packed = packed.subspan(given - z.avail_in);
    const auto unpacked = std::span(buffer).first(buffer.size() - z.avail_out);
    append(unpacked);
    if (raw_crc != nullptr) *raw_crc = crc32_of(unpacked, *raw_crc);
    if (status == Z_BUF_ERROR || (status == Z_OK && packed.empty() && z.avail_out != 0)) {
      fail(ErrorCode::kFormat, "the compressed data ends too early", kDamaged);
    }
    if (status != Z_OK && status != Z_STREAM_END) {
      fail(ErrorCode::kFormat,
           fmt::format("the compressed data is damaged ({})",
                       z.msg != nullptr ? z.msg : "not deflate"),
           kDamaged);
    }
  }
  return {begin, static_cast<std::size_t>(file_->size()) - begin};
}

Unpacker::Range Unpacker::gunzip(std::span<const std::byte> packed) { return run(packed, nullptr); }

Unpacker::Range Unpacker::inflate(std::span<const std::byte> packed, std::uint64_t size,
                                  std::uint32_t crc) {
  std::uint32_t found = 0;
  const Range range = run(packed, &found);
  if (range.size != size) {
    fail(ErrorCode::kFormat,
         fmt::format("expected {} bytes when unpacked, found {}", size, range.size), kDamaged);
  }
  if (found != crc) {
    fail(ErrorCode::kFormat, fmt::format("CRC-32: expected {:08x}, found {:08x}", crc, found),
         kDamaged);
  }
  return range;
}

FilePart Unpacker::part(Range range, std::string name) {
  if (mapped_ == nullptr || mapped_->bytes().size() < range.offset + range.size) {
    mapped_ = file_->map();
  }
  return {mapped_, std::move(name), range.offset, range.size};
}

}  // namespace mx2onnx
