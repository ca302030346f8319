#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/output.h"

namespace mx2onnx::cli {

// By name, or because it is the same device or pipe: what is printed there would be in the model.
bool is_standard_output(const std::string& output) {
  for (const char* name : {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    if (output == name) return true;
  }
  struct stat there = {};
  struct stat here = {};
  if (::stat(output.c_str(), &there) != 0 || ::fstat(STDOUT_FILENO, &here) != 0) return false;
  return !S_ISREG(there.st_mode) && there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

void finish_standard_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Error(ErrorCode::kIo, {.file = "standard output"},
              std::string("cannot be written: ") + std::strerror(errno != 0 ? errno : EIO), "");
}

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
