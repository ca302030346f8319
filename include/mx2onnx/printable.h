// Text of files and callers, made fit for a terminal, a log and a line.
#pragma once

#include <string>
#include <string_view>

#include "mx2onnx/export.h"

namespace mx2onnx {

/// The text with all that steers a terminal or hides from a reader written as escapes: control
/// characters, line feeds among them, and bytes that are no UTF-8 as `\x1b`; Unicode's own
/// controls, marks of direction, line separators and characters without width as `\u202e`. All
/// texts of `Error` and `Diagnostic` are made of this; the names in reports are as the model has
/// them.
MX2ONNX_EXPORT std::string printable(std::string_view text);

/// The same of a text of several lines, which keeps its line feeds.
MX2ONNX_EXPORT std::string printable_lines(std::string_view text);

}  // namespace mx2onnx
