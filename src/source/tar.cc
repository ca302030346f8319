#include "source/tar.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace mx2onnx::source {
namespace {

constexpr std::size_t kBlock = 512;
// Of a long name, or of pax records.
constexpr std::size_t kMostHeaderBytes = 1 << 20;

struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 5};
constexpr Field kPrefix{345, 155};

std::string_view raw(std::string_view block, Field field) {
  return block.substr(field.offset, field.size);
}

// Up to the first zero byte.
std::string_view text(std::string_view block, Field field) {
  const auto all = raw(block, field);
  return all.substr(0, all.find('\0'));
}

// Octal digits between blanks and zero bytes; from GNU tar on also a number of 8 bytes.
std::optional<std::uint64_t> number(std::string_view block, Field field) {
  const auto all = raw(block, field);
  std::uint64_t value = 0;
  if (static_cast<unsigned char>(all[0]) == 0x80) {
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (value >> 56 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(all[i]);
    }
    return value;
  }
  const auto digits = trim(text(block, field));
  for (const char c : digits) {
    if (c < '0' || c > '7' || value >> 60 != 0) return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The sum of the header's bytes, its own field as blanks. Old programs summed signed bytes.
bool is_checked(std::string_view block) {
  const auto stored = number(block, kChecksum);
  std::int64_t sum = 0;
  std::int64_t signed_sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    const char c = own ? ' ' : block[i];
    sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  return stored && (static_cast<std::int64_t>(*stored) == sum ||
                    static_cast<std::int64_t>(*stored) == signed_sum);
}

bool is_zero(std::string_view block) {
  return block.find_first_not_of('\0') == std::string_view::npos;
}

// What records before a member say of it.
struct Override {
  std::string name;
  std::string target;
  std::optional<std::uint64_t> size;
  bool sparse = false;
};

// Records "LENGTH KEY=VALUE\n".
void read_pax(std::string_view records, std::size_t at, Override& next) {
  const auto fail_record = [&] {
    fail(ErrorCode::kFormat, fmt::format("offset {}: the tar archive's pax record is damaged", at));
  };
  while (!records.empty() && records[0] != '\0') {
    const auto length = parse_int(records.substr(0, records.find(' ')));
    const auto blank = records.find(' ');
    if (!length || *length <= 0 || static_cast<std::uint64_t>(*length) > records.size() ||
        blank + 1 >= static_cast<std::size_t>(*length)) {
      fail_record();
    }
    const auto size = static_cast<std::size_t>(*length);
    const auto pair = split_once(records.substr(blank + 1, size - blank - 2), '=');
    if (!pair) fail_record();
    if (pair->first == "path") next.name = pair->second;
    if (pair->first == "linkpath") next.target = pair->second;
    if (pair->first.starts_with("GNU.sparse.")) next.sparse = true;
    if (pair->first == "size") {
      const auto value = parse_int(pair->second);
      if (!value || *value < 0) fail_record();
      next.size = static_cast<std::uint64_t>(*value);
    }
    records.remove_prefix(size);
  }
}

class TarReader {
 public:
  explicit TarReader(std::span<const std::byte> archive)
      : archive_(reinterpret_cast<const char*>(archive.data()), archive.size()) {}

  std::vector<TarEntry> read() {
    while (at_ + kBlock <= archive_.size() && !is_zero(archive_.substr(at_, kBlock))) read_member();
    if (at_ < archive_.size() && at_ + kBlock > archive_.size()) {
      fail(ErrorCode::kFormat, fmt::format("offset {}: the tar archive ends within a header", at_),
           kTruncated);
    }
    return std::move(entries_);
  }

 private:
  static constexpr const char* kTruncated = "the file may be an interrupted download";

  void read_member() {
    const auto block = archive_.substr(at_, kBlock);
    const auto stored = number(block, kSize);
    if (!is_checked(block) || !stored) {
      fail(ErrorCode::kFormat, fmt::format("offset {}: expected a header of tar, found damaged or "
                                           "other bytes",
                                           at_));
    }
    const char type = block[kType];
    const bool has_no_content = type == '1' || type == '2' || type == '5';
    const std::uint64_t size = has_no_content ? 0 : next_.size.value_or(*stored);
    const std::size_t content = at_ + kBlock;
    if (size > archive_.size() - content) {
      fail(
          ErrorCode::kFormat,
          fmt::format("offset {}: entry {}: expected {} bytes, found {} before the end of the file",
                      at_, in_quotes(name_of(block)), size, archive_.size() - content),
          kTruncated);
    }
    const auto bytes = archive_.substr(content, static_cast<std::size_t>(size));
    if (type == 'x' || type == 'L' || type == 'K') {
      read_record(type, bytes);
    } else {
      if (type != 'g') add(block, type, content, bytes.size());
      if (type != 'g') next_ = {};
    }
    at_ = content +
          std::min((bytes.size() + kBlock - 1) / kBlock * kBlock, archive_.size() - content);
  }

  void read_record(char type, std::string_view bytes) {
    if (bytes.size() > kMostHeaderBytes) {
      fail(ErrorCode::kFormat,
           fmt::format("offset {}: expected a name of at most {} bytes, found {}", at_,
                       kMostHeaderBytes, bytes.size()));
    }
    if (type == 'x') return read_pax(bytes, at_, next_);
    (type == 'L' ? next_.name : next_.target) = bytes.substr(0, bytes.find('\0'));
  }

  std::string name_of(std::string_view block) const {
    if (!next_.name.empty()) return next_.name;
    std::string name(text(block, kName));
    // GNU's old form has other things where ustar has the beginning of long names.
    const bool ustar = raw(block, kMagic) == "ustar" && block[kMagic.offset + 5] == '\0';
    const auto prefix = ustar ? text(block, kPrefix) : std::string_view();
    return prefix.empty() ? name : std::string(prefix) + "/" + name;
  }

  void add(std::string_view block, char type, std::size_t content, std::size_t size) {
    TarEntry entry{name_of(block), TarEntry::Type::kOther, {}, type == '1', content, size};
    if (type == 'S' || next_.sparse) {
      fail(ErrorCode::kFormat,
           fmt::format("entry {}: sparse members are not read", in_quotes(entry.name)),
           "unpack the archive and name what is in it");
    }
    if (type == '0' || type == '\0' || type == '7') entry.type = TarEntry::Type::kFile;
    if (type == '1' || type == '2') {
      entry.type = TarEntry::Type::kLink;
      entry.target = next_.target.empty() ? std::string(text(block, kLinkName)) : next_.target;
    }
    // V7 has folders as files whose names end so.
    if (entry.name.ends_with("/")) return;
    if (entry.type != TarEntry::Type::kOther) entries_.push_back(std::move(entry));
  }

  std::string_view archive_;
  std::size_t at_ = 0;
  Override next_;
  std::vector<TarEntry> entries_;
};

}  // namespace

bool is_tar(std::span<const std::byte> bytes) {
  if (bytes.size() < kBlock) return false;
  const std::string_view block(reinterpret_cast<const char*>(bytes.data()), kBlock);
  return !is_zero(block) && is_checked(block);
}

std::vector<TarEntry> read_tar_directory(std::span<const std::byte> archive) {
  return TarReader(archive).read();
}

}  // namespace mx2onnx::source
