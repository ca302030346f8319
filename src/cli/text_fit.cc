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

std::string lines_of(const std::vector<std::string>& words, std::size_t width,
                     const std::string& first, const std::string& next, std::string_view tail) {
  std::string result;
  std::string line = first;
  bool is_empty = true;
  for (const auto& word : words) {
    const std::size_t room = &word == &words.back() ? 0 : tail.size();
    if (!is_empty && text_width(line) + 1 + text_width(word) + room > width) {
      result += line.append(tail) + "\n";
      line = next;
      is_empty = true;
    }
    if (!is_empty) line += ' ';
    line += word;
    is_empty = false;
  }
  return result + line + "\n";
}

}  // namespace mx2onnx::cli
