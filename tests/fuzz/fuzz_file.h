// Bytes as a file, for what the program reads from disks.
#pragma once

#include <unistd.h>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/unpack.h"

namespace mx2onnx::fuzz {

// Arrays beyond this are not read: a few bytes may describe gigabytes of zeros.
constexpr std::size_t kMostBytesRead = 1 << 20;

// A small limit: the fuzzer would spend its time on writing zeros.
inline UnpackLimits fuzz_limits() { return {kMostBytesRead}; }

/// Runs a function in which an Error is as good as success, unless it says that the fault is ours.
template <typename Function>
void tolerate_errors(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) throw;
  }
}

/// The path of this process' file, alone in its folder, in memory where the system has such a
/// place.
inline const std::string& fuzz_path() {
  static const std::string path = [] {
    const std::filesystem::path memory = "/dev/shm";
    const auto folder =
        (std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
        ("mx2onnx_fuzz_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    return (folder / "input").string();
  }();
  return path;
}

/// Calls the function with the path of a file of these bytes.
template <typename Function>
void with_file(const std::uint8_t* data, std::size_t size, const Function& function) {
  const std::string& path = fuzz_path();
  std::FILE* file = std::fopen(path.c_str(), "wb");
  std::fwrite(data, 1, size, file);
  std::fclose(file);
  tolerate_errors([&] { function(path); });
  std::remove(path.c_str());
}

}  // namespace mx2onnx::fuzz
