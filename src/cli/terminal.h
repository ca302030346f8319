// What goes to standard error, in colour where that is a terminal that shows it.
#pragma once

#include <string>

namespace mx2onnx::cli {

/// True if standard error is a terminal.
bool is_terminal();

/// An error's text with its hints, a line each.
void print_error(const std::string& text);

/// A line, with "warning:" before it.
void print_warning(const std::string& text);

}  // namespace mx2onnx::cli
