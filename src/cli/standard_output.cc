#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/output.h"

namespace mx2onnx::cli {

bool is_standard_output(const std::string& output) { return output == "-"; }

Report convert_to_standard_output(const Source& source, const ConvertOptions& options) {
  if (::isatty(STDOUT_FILENO) == 1) {
    throw Error(ErrorCode::kUsage, {.file = "standard output"}, "a model is not for a terminal",
                "mx2onnx convert … -o - > model.onnx");
  }
  const auto check = [](bool good) {
    if (good) return;
    throw Error(ErrorCode::kIo, {.file = "standard output"},
                std::string("cannot be written: ") + std::strerror(errno), "");
  };
  Report report = convert_to_stream(
      source,
      [&](std::span<const std::byte> bytes) {
        check(std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size());
      },
      options);
  check(std::fflush(stdout) == 0);
  return report;
}

}  // namespace mx2onnx::cli
