#include "base/temporary_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/error.h"

namespace mx2onnx {
namespace {

constexpr const char* kHint = "the environment variable TMPDIR says which folder is used";

std::string folder() {
  std::error_code error;
  const auto path = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : path.string();
}

int open_unnamed(const std::string& in) {
#if defined(O_TMPFILE)
  const int descriptor = ::open(in.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
#endif
  std::string name = in + "/mx2onnx-XXXXXX";
  const int named = ::mkstemp(name.data());
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

TemporaryFile::TemporaryFile() {
  const std::string in = folder();
  descriptor_ = open_unnamed(in);
  if (descriptor_ < 0) {
    const int error = errno;
    fail_at({.file = in}, ErrorCode::kIo,
            fmt::format("a temporary file cannot be made: {}", std::strerror(error)), kHint);
  }
}

TemporaryFile::~TemporaryFile() { ::close(descriptor_); }

void TemporaryFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      fail(ErrorCode::kIo,
           fmt::format("cannot be unpacked into {}: {}", folder(), std::strerror(errno)), kHint);
    }
    size_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// The descriptor's own name opens the file once more, also where it has no other.
std::shared_ptr<const MappedFile> TemporaryFile::map() const {
  return MappedFile::open(fmt::format("/dev/fd/{}", descriptor_));
}

}  // namespace mx2onnx
