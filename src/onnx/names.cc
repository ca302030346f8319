#include "onnx/names.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace mx2onnx::onnx {
namespace {

// Length of the UTF-8 sequence at the front of the text; 0 if it is not one.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0;
  if (first >= 0xc2 && first < 0xe0) {
    length = 2;
    code = first & 0x1fU;
  } else if (first >= 0xe0 && first < 0xf0) {
    length = 3;
    code = first & 0x0fU;
  } else if (first >= 0xf0 && first < 0xf5) {
    length = 4;
    code = first & 0x07U;
  }
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < kSmallest[length] || surrogate || code > 0x10ffff ? 0 : length;
}

std::string valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    result += length == 0 ? std::string_view("_") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace

std::string Names::unique(std::string_view name) {
  std::string base = valid_utf8(name);
  // An empty name means "absent" in ONNX.
  if (base.empty()) base = "unnamed";
  const auto [entry, is_new] = next_.try_emplace(base, 1);
  if (is_new) return base;
  for (;;) {
    std::string candidate = fmt::format("{}_{}", base, next_[base]++);
    if (next_.try_emplace(candidate, 1).second) return candidate;
  }
}

}  // namespace mx2onnx::onnx
