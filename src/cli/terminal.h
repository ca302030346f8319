// What goes to standard error, in colour where that is a terminal that shows it.
#pragma once

#include <cstddef>
#include <string>

namespace mx2onnx::cli {

/// True if standard error is a terminal.
bool is_terminal();

/// How many letters a line of standard output may have: what COLUMNS says, else the terminal's
/// width, else 80.
std::size_t output_width();

/// An error's text with its hints, a line each.
void print_error(const std::string& text);

/// A line, with "warning:" before it.
void print_warning(const std::string& text);

}  // namespace mx2onnx::cli
