// See text_fit.h.
#include "cli/text_fit.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace mx2onnx::cli {
namespace {

bool starts_letter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

// Position of the letter `count` from `at` on.
std::size_t skip(std::string_view text, std::size_t at, std::size_t count) {
  for (; count > 0 && at < text.size(); --count) {
    do ++at;
    while (at < text.size() && !starts_letter(text[at]));
  }
  return at;
}

}  // namespace

ScreenSize screen_size(int descriptor) {
  winsize size = {};
  if (::isatty(descriptor) != 1) return {};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_letter));
}

std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // The control characters of ASCII, and those that Unicode has beside them (U+0080 to U+009F).
    const bool is_c1 =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (is_c1) ++i;
    result += byte < 0x20 || byte == 0x7f || is_c1 ? '?' : text[i];
  }
  return result;
}

std::string shortened(std::string_view text, std::size_t width) {
  std::string clean = printable(text);
  const std::size_t letters = text_width(clean);
  if (letters <= width) return clean;
  if (width == 0) return {};
  // More of the end is kept: names begin alike.
  const std::size_t front = (width - 1) / 3;
  const std::size_t back = width - 1 - front;
  return clean.substr(0, skip(clean, 0, front)) + "…" +
         clean.substr(skip(clean, 0, letters - back));
}

std::vector<std::string> wrapped(const std::vector<std::string>& words, std::size_t columns) {
  std::vector<std::string> lines;
  std::size_t used = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] + (i + 1 < words.size() ? "," : "");
    const std::size_t width = text_width(word);
    if (lines.empty() || (columns != 0 && used + 1 + width > columns)) {
      lines.push_back(word);
      used = width;
    } else {
      lines.back() += " " + word;
      used += 1 + width;
    }
  }
  return lines;
}

std::string shell_word(const std::string& text) {
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:,=+@%").find(c) != std::string_view::npos;
  });
  if (is_plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace mx2onnx::cli
