#include "base/zip_directory.h"

#include <cstring>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/text.h"

namespace mx2onnx {
namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50;
constexpr std::uint32_t kCentralMagic = 0x02014b50;
constexpr std::uint32_t kEndMagic = 0x06054b50;
constexpr std::uint32_t kEnd64Magic = 0x06064b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64LocatorSize = 20;
constexpr std::uint32_t kIn64 = 0xffffffff;
// Bits of the flags: the content is encrypted, by the old and by the strong way.
constexpr unsigned kEncrypted = 1U | 1U << 6;
constexpr unsigned kKnownLater = 1U << 3;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint32_t kKindOfFile = 0xf000;
constexpr std::uint32_t kSymbolicLink = 0xa000;
constexpr const char* kDamaged = "the file is damaged: fetch it again";

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

// The end record stands at the end of the file, before a comment of at most 65,535 bytes.
Directory find_directory(std::span<const std::byte> bytes) {
  const std::size_t last = bytes.size() < kEndSize ? 0 : bytes.size() - kEndSize;
  const std::size_t first = last > 0xffff ? last - 0xffff : 0;
  for (std::size_t at = last + 1; bytes.size() >= kEndSize && at-- > first;) {
    std::uint32_t magic = 0;
    std::memcpy(&magic, bytes.data() + at, sizeof(magic));
    if (magic != kEndMagic) continue;
    ByteReader end(bytes, at + 8);
    Directory directory;
    const auto here = end.read<std::uint16_t>("zip directory");
    directory.entries = end.read<std::uint16_t>("zip directory");
    if (here != directory.entries) {
      fail(ErrorCode::kFormat, "expected a whole zip archive, found a part of a split one",
           "join the parts first (zip -s 0 PART.zip --out WHOLE.zip)");
    }
    directory.size = end.read<std::uint32_t>("zip directory");
    directory.offset = end.read<std::uint32_t>("zip directory");
    if (directory.offset == kIn64 && at >= kEnd64LocatorSize) {
      ByteReader locator(bytes, at - kEnd64LocatorSize + 8);
      const auto end64_offset = locator.read<std::uint64_t>("zip64 locator");
      if (end64_offset > bytes.size()) break;
      ByteReader end64(bytes, static_cast<std::size_t>(end64_offset));
      if (end64.read<std::uint32_t>("zip64 directory") != kEnd64Magic) break;
      end64.read_bytes(28, "zip64 directory");
      directory.entries = end64.read<std::uint64_t>("zip64 directory");
      directory.size = end64.read<std::uint64_t>("zip64 directory");
      directory.offset = end64.read<std::uint64_t>("zip64 directory");
    }
    return directory;
  }
  fail(ErrorCode::kFormat,
       "expected the directory of a zip archive at the end of the file, found none",
       "the file may be truncated");
}

// Sizes and offsets that do not fit 32 bits stand in the extra field with id 1, in this order.
void read_zip64_extra(std::span<const std::byte> extra, ZipEntry& entry) {
  ByteReader reader(extra);
  while (reader.remaining() >= 4) {
    const auto id = reader.read<std::uint16_t>("zip extra field");
    const auto size = reader.read<std::uint16_t>("zip extra field");
    ByteReader field(reader.read_bytes(size, "zip extra field"));
    if (id != 1) continue;
    if (entry.size == kIn64) entry.size = field.read<std::uint64_t>("zip64 size");
    if (entry.packed == kIn64) entry.packed = field.read<std::uint64_t>("zip64 size");
    if (entry.header == kIn64) entry.header = field.read<std::uint64_t>("zip64 offset");
  }
}

ZipEntry read_entry(ByteReader& reader) {
  constexpr std::string_view kWhat = "zip directory entry";
  const auto at = reader.offset();
  if (reader.read<std::uint32_t>(kWhat) != kCentralMagic) {
    fail(ErrorCode::kFormat, fmt::format("offset {}: expected a zip directory entry", at));
  }
  reader.read_bytes(4, kWhat);
  ZipEntry entry;
  entry.encrypted = (reader.read<std::uint16_t>(kWhat) & kEncrypted) != 0;
  entry.method = reader.read<std::uint16_t>(kWhat);
  reader.read_bytes(4, kWhat);
  entry.crc = reader.read<std::uint32_t>(kWhat);
  entry.packed = reader.read<std::uint32_t>(kWhat);
  entry.size = reader.read<std::uint32_t>(kWhat);
  const auto name_size = reader.read<std::uint16_t>(kWhat);
  const auto extra_size = reader.read<std::uint16_t>(kWhat);
  const auto comment_size = reader.read<std::uint16_t>(kWhat);
  reader.read_bytes(4, kWhat);
  // Unix' mode in the upper half; other systems leave it 0.
  const auto attributes = reader.read<std::uint32_t>(kWhat);
  entry.is_link = (attributes >> 16 & kKindOfFile) == kSymbolicLink;
  entry.header = reader.read<std::uint32_t>(kWhat);
  entry.name = reader.read_text(name_size, "zip entry name");
  read_zip64_extra(reader.read_bytes(extra_size, "zip extra field"), entry);
  reader.read_bytes(comment_size, "zip entry comment");
  return entry;
}

std::string_view method_name(std::uint16_t method) {
  switch (method) {
    case 9:
      return "deflate64";
    case 12:
      return "bzip2";
    case 14:
      return "LZMA";
    case 93:
      return "zstd";
    case 95:
      return "xz";
    default:
      return "unknown";
  }
}

// Every entry is described twice, in the directory and before its content. Where the two disagree,
// readers disagree about what is in the archive. Leaves the reader at the content.
void check_local_header(ByteReader& reader, const ZipEntry& entry) {
  constexpr std::string_view kWhat = "zip local header";
  const auto expect = [&](std::string_view what, std::uint64_t local, std::uint64_t central) {
    if (local == central) return;
    fail(ErrorCode::kFormat,
         fmt::format("entry {}: {}: {} before the content, {} in the directory",
                     in_quotes(entry.name), what, local, central),
         kDamaged);
  };
  reader.read_bytes(2, kWhat);
  const auto flags = reader.read<std::uint16_t>(kWhat);
  ZipEntry local;
  local.encrypted = (flags & kEncrypted) != 0;
  local.method = reader.read<std::uint16_t>(kWhat);
  reader.read_bytes(4, kWhat);
  local.crc = reader.read<std::uint32_t>(kWhat);
  local.packed = reader.read<std::uint32_t>(kWhat);
  local.size = reader.read<std::uint32_t>(kWhat);
  const auto name_size = reader.read<std::uint16_t>(kWhat);
  const auto extra_size = reader.read<std::uint16_t>(kWhat);
  local.name = reader.read_text(name_size, kWhat);
  read_zip64_extra(reader.read_bytes(extra_size, kWhat), local);
  if (local.name != entry.name) {
    fail(ErrorCode::kFormat,
         fmt::format("entry {}: its name is {} before the content", in_quotes(entry.name),
                     in_quotes(local.name)),
         kDamaged);
  }
  expect("encrypted", local.encrypted ? 1 : 0, 0);
  expect("method", local.method, entry.method);
  // Who writes to a pipe knows these only behind the content, and leaves zeros here.
  const bool known_later = (flags & kKnownLater) != 0;
  if (!known_later || local.crc != 0) expect("CRC-32", local.crc, entry.crc);
  if (!known_later || local.packed != 0) expect("packed bytes", local.packed, entry.packed);
  if (!known_later || local.size != 0) expect("bytes", local.size, entry.size);
}

void check_readable(const ZipEntry& entry) {
  if (entry.encrypted) {
    fail(ErrorCode::kFormat, fmt::format("entry {} is encrypted", in_quotes(entry.name)),
         "unpack the archive with its password first");
  }
  if (entry.method != kStored && entry.method != kDeflated) {
    fail(ErrorCode::kFormat,
         fmt::format("entry {}: expected it stored or deflated, found method {} ({})",
                     in_quotes(entry.name), entry.method, method_name(entry.method)),
         "unpack the archive and pack it again with zip");
  }
  if (entry.method == kStored && entry.packed != entry.size) {
    fail(ErrorCode::kFormat, fmt::format("entry {}: expected {} stored bytes, found {}",
                                         in_quotes(entry.name), entry.size, entry.packed));
  }
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> archive) {
  const Directory directory = find_directory(archive);
  if (directory.offset > archive.size()) {
    fail(ErrorCode::kFormat,
         fmt::format("zip directory: expected an offset within the file, found {}",
                     directory.offset));
  }
  ByteReader reader(archive, static_cast<std::size_t>(directory.offset));
  std::vector<ZipEntry> entries;
  for (std::uint64_t i = 0; i < directory.entries; ++i) entries.push_back(read_entry(reader));
  const std::uint64_t found = reader.offset() - directory.offset;
  if (found != directory.size) {
    fail(ErrorCode::kFormat,
         fmt::format("zip directory: expected {} bytes, found {} in its {} entries", directory.size,
                     found, directory.entries),
         kDamaged);
  }
  return entries;
}

ZipContent read_zip_entry(const FilePart& archive, const ZipEntry& entry, Unpacker& unpacker) {
  check_readable(entry);
  const auto bytes = archive.bytes();
  if (entry.header > bytes.size()) {
    fail(ErrorCode::kFormat,
         fmt::format("zip entry {}: expected an offset within the file, found {}",
                     in_quotes(entry.name), entry.header));
  }
  ByteReader local(bytes, static_cast<std::size_t>(entry.header));
  if (local.read<std::uint32_t>("zip local header") != kLocalMagic) {
    fail(ErrorCode::kFormat, fmt::format("offset {}: expected a zip local header", entry.header));
  }
  check_local_header(local, entry);
  const std::size_t offset = local.offset();
  const auto packed = local.read_bytes(entry.packed, "zip entry");
  const std::string called = fmt::format("{}/{}", archive.name, entry.name);
  const ErrorScope scope = ErrorScope::file(called);
  if (entry.method == kDeflated) return {true, unpacker.inflate(packed, entry.size, entry.crc)};
  const std::uint32_t found = crc32_of(packed);
  if (found != entry.crc) {
    fail(ErrorCode::kFormat, fmt::format("CRC-32: expected {:08x}, found {:08x}", entry.crc, found),
         kDamaged);
  }
  return {false, {offset, packed.size()}};
}

FilePart zip_part(const FilePart& archive, const ZipContent& content, std::string name,
                  Unpacker& unpacker) {
  if (content.unpacked) return unpacker.part(content.range, std::move(name));
  return {archive.file, std::move(name), archive.offset + content.range.offset, content.range.size};
}

}  // namespace mx2onnx
