// See failure.h.
#include "cli/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/output.h"
#include "cli/terminal.h"
#include "mx2onnx/report.h"

namespace mx2onnx::cli {

int report_failure(const Error& error, const std::vector<std::string>& words) {
  print_error(error.what());
  if (std::find(words.begin(), words.end(), "--json") != words.end()) {
    // Standard output is the model's if it goes there.
    const auto output = std::find_if(words.begin(), words.end(), is_standard_output);
    fmt::print(output == words.end() ? stdout : stderr, "{}\n", to_json(error));
  }
  return static_cast<int>(error.code());
}

}  // namespace mx2onnx::cli
