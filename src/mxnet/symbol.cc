#include "mxnet/symbol.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace mx2onnx::mxnet {
namespace {

constexpr std::int64_t kFirstVersion = 500;
constexpr std::int64_t kAfterLastVersion = 30000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Up to three numbers between dots, and then what packages add: "b1", ".post2", "b20191230".
std::optional<std::int64_t> version_number(std::string_view text) {
  constexpr std::array<std::int64_t, 3> kWeights = {10000, 100, 1};
  std::int64_t version = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    if (digits == 0 || digits > 2) return std::nullopt;
    version += *parse_int(text.substr(0, digits)) * kWeights[i];
    text.remove_prefix(digits);
    const bool goes_on = text.size() > 1 && text[0] == '.' && is_digit(text[1]);
    if (!goes_on || i + 1 == kWeights.size()) break;
    text.remove_prefix(1);
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  if (!text.empty() && !is_letter(text[0])) return std::nullopt;
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c)) return std::nullopt;
  }
  return version;
}

}  // namespace

std::string version_text(std::int64_t mxnet_version) {
  return fmt::format("{}.{}.{}", mxnet_version / 10000, mxnet_version / 100 % 100,
                     mxnet_version % 100);
}

std::int64_t parse_version(std::string_view text) {
  const auto version = version_number(text);
  if (!version || *version < kFirstVersion || *version >= kAfterLastVersion) {
    fail_at({}, ErrorCode::kUsage,
            fmt::format("mxnet-version: expected a version of MXNet such as 0.7 or 1.9.1, got {}",
                        in_quotes(text)));
  }
  return *version;
}

}  // namespace mx2onnx::mxnet
