// See text_fit.h.
#include "cli/text_fit.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "mx2onnx/printable.h"

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

std::size_t output_width() {
  constexpr std::size_t kUsual = 80;
  // Longer lines are hard to read, and shorter ones hold no word.
  constexpr std::size_t kLeast = 60;
  constexpr std::size_t kMost = 120;
  std::size_t width = 0;
  if (const char* columns = std::getenv("COLUMNS")) {
    const std::string_view text = columns;
    std::from_chars(text.data(), text.data() + text.size(), width);
  }
  if (width == 0) width = screen_size(STDOUT_FILENO).columns;
  return width == 0 ? kUsual : std::clamp(width, kLeast, kMost);
}

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_letter));
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
