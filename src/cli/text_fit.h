// Text that has to fit a line, for standard output.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mx2onnx::cli {

/// Columns and lines of the terminal that a file descriptor is; 0 if it is none.
struct ScreenSize {
  std::size_t columns = 0;
  std::size_t lines = 0;
};
ScreenSize screen_size(int descriptor);

/// How many columns a line of standard output may have: what COLUMNS says, else the terminal's
/// width, else 80.
std::size_t output_width();

/// Columns that the text takes, of UTF-8 without wide letters.
std::size_t text_width(std::string_view text);

/// The text with what is not printable made visible, cut to a width with "…" where it is longer:
/// names come from files that anybody may have made.
std::string shortened(std::string_view text, std::size_t width);

/// The words, with spaces between them, in lines of at most `width` letters. `first` begins the
/// first line and `next` the others; `tail` ends all but the last.
std::string lines_of(const std::vector<std::string>& words, std::size_t width,
                     const std::string& first, const std::string& next, std::string_view tail);

}  // namespace mx2onnx::cli
