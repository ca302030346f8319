#include "mx2onnx/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/text.h"

namespace mx2onnx {
namespace {

struct Letter {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// The first letter of UTF-8. What is longer than need be, a surrogate or beyond Unicode is invalid.
Letter first_letter(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kFirst = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return {code, bytes, code >= kFirst[bytes] && code <= 0x10ffff && !is_surrogate};
}

bool is_hidden(std::uint32_t code) {
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr std::array<Range, 11> kHidden = {{{0x00, 0x1f},
                                              {0x7f, 0x9f},
                                              {0xad, 0xad},          // soft hyphen
                                              {0x61c, 0x61c},        // Arabic letter mark
                                              {0x180e, 0x180e},      // Mongolian vowel separator
                                              {0x200b, 0x200f},      // no width; marks of direction
                                              {0x2028, 0x202e},      // separators; overrides
                                              {0x2060, 0x206f},      // no width; isolates
                                              {0xfeff, 0xfeff},      // byte order mark
                                              {0xfff9, 0xfffb},      // annotations
                                              {0xe0000, 0xe007f}}};  // tags
  return std::any_of(kHidden.begin(), kHidden.end(),
                     [&](const Range& range) { return code >= range.first && code <= range.last; });
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7f; }

std::string escaped(std::string_view text, bool keeps_lines) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Letter letter = first_letter(text);
    if (letter.valid && (!is_hidden(letter.code) || (keeps_lines && letter.code == '\n'))) {
      result += text.substr(0, letter.bytes);
    } else if (letter.valid && letter.code >= 0x80) {
      result += fmt::format("\\u{:04x}", letter.code);
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    }
    text.remove_prefix(letter.bytes);
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  return escaped(text, false);
}

std::string json_escaped(std::string_view json) {
  std::string result;
  result.reserve(json.size());
  while (!json.empty()) {
    const Letter letter = first_letter(json);
    if (!letter.valid || !is_hidden(letter.code) || letter.code == '\n') {
      result += json.substr(0, letter.bytes);
    } else if (letter.code < 0x10000) {
      result += fmt::format("\\u{:04x}", letter.code);
    } else {
      const std::uint32_t rest = letter.code - 0x10000;
      result += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
    }
    json.remove_prefix(letter.bytes);
  }
  return result;
}

std::string printable_lines(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  return escaped(text, true);
}

}  // namespace mx2onnx
