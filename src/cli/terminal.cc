#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "mx2onnx/printable.h"

namespace mx2onnx::cli {
namespace {

constexpr std::string_view kHint = "hint:";

// As https://no-color.org has it: any text in NO_COLOR forbids colours.
bool has_colours() {
  const char* forbidden = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  const bool dumb = kind != nullptr && std::string_view(kind) == "dumb";
  return is_terminal() && !dumb && (forbidden == nullptr || *forbidden == '\0');
}

std::string painted(std::string_view text, std::string_view colour) {
  return has_colours() ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : std::string(text);
}

}  // namespace

bool is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

void print_error(const std::string& text) {
  const std::string shown = printable_lines(text);
  std::string_view rest = shown;
  for (bool first = true; first || !rest.empty(); first = false) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (first) {
      fmt::print(stderr, "{}\n", painted(line, "1;31"));
    } else if (line.starts_with(kHint)) {
      fmt::print(stderr, "{}{}\n", painted(kHint, "36"), line.substr(kHint.size()));
    } else {
      fmt::print(stderr, "{}\n", line);
    }
  }
}

void print_warning(const std::string& text) {
  fmt::print(stderr, "{} {}\n", painted("warning:", "33"), printable(text));
}

}  // namespace mx2onnx::cli
