// Names as words of a shell, for commands that people copy.
//
// A header of its own, without anything of the library, because the command line uses it too.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace mx2onnx {

/// The text as a word of a shell, in quotes where it needs them.
inline std::string shell_word(const std::string& text) {
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:,=+@%").find(c) != std::string_view::npos;
  });
  if (is_plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace mx2onnx
