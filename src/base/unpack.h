// Unpacking of gzip and deflate, through zlib, into one temporary file. All checks of what comes
// out (its CRC-32, its size, and that there is not absurdly much of it) are made here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/file_part.h"
#include "base/temporary_file.h"

namespace mx2onnx {

/// How much may come out of compressed files, against those that are made to fill a disk.
struct UnpackLimits {
  /// Any file may become as large as this.
  static constexpr std::uint64_t kAlways = std::uint64_t{64} << 20;
  /// Weights shrink by a tenth, at the most by half of their zeros; deflate's limit is 1032.
  static constexpr std::uint64_t kRatio = 100;
  static constexpr std::uint64_t kMost = std::uint64_t{64} << 30;

  /// Set by the user, in place of all of the above.
  std::optional<std::uint64_t> chosen;

  /// Bytes that may come out of files of `packed` bytes together.
  std::uint64_t allowed(std::uint64_t packed) const;
};

class Unpacker {
 public:
  explicit Unpacker(UnpackLimits limits = {}) : limits_(limits) {}

  /// Where something was unpacked to, within the temporary file.
  struct Range {
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  /// Counts a file on the disk towards what may come out; not what was unpacked itself.
  void admit(std::uint64_t packed) { packed_ += packed; }
  /// Unpacks a whole gzip file, of one member or several. Damaged data fails with kFormat, too much
  /// of it with kUsage.
  Range gunzip(std::span<const std::byte> packed);
  /// Unpacks raw deflate data that must become `size` bytes with this CRC-32.
  Range inflate(std::span<const std::byte> packed, std::uint64_t size, std::uint32_t crc);
  /// What was unpacked, as a file of this name. Everything unpacked so far is mapped once.
  FilePart part(Range range, std::string name);

 private:
  // gzip, or raw deflate whose CRC-32 is computed.
  Range run(std::span<const std::byte> packed, std::uint32_t* raw_crc);
  void append(std::span<const std::byte> bytes);

  UnpackLimits limits_;
  std::uint64_t packed_ = 0;
  std::optional<TemporaryFile> file_;
  std::shared_ptr<const MappedFile> mapped_;
};

/// The CRC-32 of zip and gzip; `before` is that of what comes before the bytes.
std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace mx2onnx
