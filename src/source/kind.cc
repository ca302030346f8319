#include "source/kind.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "base/zip_directory.h"
#include "mxnet/param_files.h"
#include "source/tar.h"

namespace mx2onnx::source {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kLooked = 512;

std::string_view beginning(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kLooked)};
}

std::string_view without_mark(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

bool is_utf16(std::string_view text) {
  return text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv);
}

struct Other {
  std::string_view what;
  std::string_view next;
};

struct Magic {
  std::string_view bytes;
  Other other;
};

constexpr std::string_view kUnpack = "unpack it and name what is in it";
constexpr Magic kMagics[] = {
    {"version https://git-lfs.github.com/spec/"sv,
     {"the pointer of a Git LFS file, not the file itself", "fetch the file with: git lfs pull"}},
    {"\x89HDF\r\n\x1a\n"sv,
     {"an HDF5 file, as Keras saves models (.h5)",
      "models of Keras with the MXNet backend: keras.models.save_mxnet_model writes the two files "
      "that are needed"}},
    {"\xfd\x37zXZ\0"sv, {"compressed with xz", kUnpack}},
    {"BZh"sv, {"compressed with bzip2", kUnpack}},
    {"\x28\xb5\x2f\xfd"sv, {"compressed with zstd", kUnpack}},
    {"\x04\x22\x4d\x18"sv, {"compressed with lz4", kUnpack}},
    {"7z\xbc\xaf\x27\x1c"sv, {"a 7z archive", kUnpack}},
    {"Rar!\x1a\x07"sv, {"a RAR archive", kUnpack}},
};

// A serialised ModelProto: the first field is ir_version, a small number, and another field of the
// message follows.
bool is_onnx(std::string_view text) {
  constexpr std::string_view kNextTags = "\x12\x1a\x22\x28\x32\x3a\x42\x72";
  return text.size() > 2 && text[0] == 8 && text[1] > 0 && text[1] < 20 &&
         kNextTags.find(text[2]) != std::string_view::npos;
}

bool is_pickle(std::string_view text) {
  return text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5;
}

// Empty if it is not known what the bytes are.
Other find_other(const std::string& name, std::string_view text) {
  for (const auto& magic : kMagics) {
    if (text.starts_with(magic.bytes)) return magic.other;
  }
  const std::string start = lower(trim(without_mark(text)).substr(0, 15));
  if (start.starts_with("<!doctype html") || start.starts_with("<html")) {
    return {"a web page (HTML)",
            "a download brought the page and not the file: take the link of the file itself"};
  }
  if (start.starts_with("<?xml")) {
    return {"an XML document",
            "where it was downloaded, it may be the store's refusal: it can be read as text"};
  }
  if (is_onnx(text)) return {"an ONNX file", "it is converted already"};
  if (name.ends_with(".states")) {
    return {"the state of an optimizer (a trainer's .states)",
            "the weights are in the .params file that was saved beside it"};
  }
  if (is_pickle(text)) {
    return {"a pickle of Python",
            "a trainer's states, or a model of another framework; MXNet's weights are in .params "
            "files"};
  }
  return {};
}

void append_utf8(std::string& text, std::uint32_t c) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3f));
  } else {
    byte(0xf0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3f));
    byte(0x80 | (c >> 6 & 0x3f));
  }
  byte(0x80 | (c & 0x3f));
}

std::string from_utf16(std::span<const std::byte> bytes) {
  const std::size_t low = bytes[0] == std::byte{0xff} ? 0 : 1;
  const auto unit = [&](std::size_t at) {
    return static_cast<std::uint32_t>(bytes[at + low]) |
           static_cast<std::uint32_t>(bytes[at + 1 - low]) << 8;
  };
  std::string text;
  text.reserve(bytes.size() / 2);
  for (std::size_t at = 2; at < bytes.size(); at += 2) {
    const bool whole = at + 1 < bytes.size();
    std::uint32_t c = whole ? unit(at) : 0;
    const bool first = whole && c >= 0xd800 && c < 0xdc00;
    const std::uint32_t second = first && at + 3 < bytes.size() ? unit(at + 2) : 0;
    const bool pair = second >= 0xdc00 && second < 0xe000;
    if (!whole || (first && !pair) || (c >= 0xdc00 && c < 0xe000)) {
      fail(ErrorCode::kFormat, fmt::format("offset {}: the UTF-16 text is broken", at));
    }
    if (pair) {
      c = 0x10000 + ((c - 0xd800) << 10) + (second - 0xdc00);
      at += 2;
    }
    append_utf8(text, c);
  }
  return text;
}

}  // namespace

Kind kind_of(std::span<const std::byte> bytes) {
  const auto text = beginning(bytes);
  if (is_utf16(text)) return Kind::kUtf16;
  if (text.starts_with("\x1f\x8b"sv)) return Kind::kGzip;
  if (text.starts_with("PK\x03\x04"sv) || text.starts_with("PK\x05\x06"sv)) return Kind::kZip;
  if (mxnet::is_param_file(bytes)) return Kind::kParameters;
  if (trim(without_mark(text)).starts_with("{")) return Kind::kJson;
  if (is_tar(bytes)) return Kind::kTar;
  return Kind::kOther;
}

bool is_npz(const FilePart& file) {
  const ErrorScope scope = ErrorScope::file(file.name);
  if (file.name.ends_with(".npz")) return true;
  const auto entries = read_zip_directory(file.bytes());
  return !entries.empty() && std::all_of(entries.begin(), entries.end(), [](const ZipEntry& entry) {
    return entry.name.ends_with(".npy");
  });
}

bool is_known_other(const std::string& name, std::span<const std::byte> bytes) {
  return !find_other(name, beginning(bytes)).what.empty();
}

void fail_other(const std::string& name, std::span<const std::byte> bytes,
                std::string_view expected) {
  const Other other = find_other(name, beginning(bytes));
  const ErrorPlace place{.file = name};
  if (bytes.empty()) {
    fail_at(place, ErrorCode::kFormat, fmt::format("expected {}, found an empty file", expected));
  }
  if (other.what.empty()) {
    fail_at(
        place, ErrorCode::kFormat, fmt::format("expected {}, found something else", expected),
        R"(MXNet's parameter files begin with 12 01 00 00, "PK" or "\x93NUMPY", symbols with "{")");
  }
  fail_at(place, ErrorCode::kFormat, fmt::format("expected {}, found {}", expected, other.what),
          std::string(other.next));
}

namespace {

void check_text_size(std::size_t size) {
  // A chain of a million layers has 150 MB.
  constexpr std::size_t kMostBytes = std::size_t{1} << 28;
  if (size <= kMostBytes) return;
  fail(ErrorCode::kFormat,
       fmt::format("expected a symbol of MXNet, of at most {} bytes, found {} bytes", kMostBytes,
                   size));
}

std::string_view utf8_in(std::span<const std::byte> bytes) {
  return without_mark({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

Text text_of_symbol(const FilePart& part) {
  const auto bytes = part.bytes();
  check_text_size(bytes.size());
  if (is_utf16(beginning(bytes))) return Text(from_utf16(bytes));
  return {part, bytes.size() - utf8_in(bytes).size()};
}

std::string to_utf8(std::span<const std::byte> bytes) {
  check_text_size(bytes.size());
  return is_utf16(beginning(bytes)) ? from_utf16(bytes) : std::string(utf8_in(bytes));
}

}  // namespace mx2onnx::source
