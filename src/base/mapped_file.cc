#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/mapping_faults.h"

namespace mx2onnx {
namespace {

[[noreturn]] void fail_io(const std::string& path, int error) {
  fail_at({.file = path}, ErrorCode::kIo, fmt::format("cannot be read: {}", std::strerror(error)));
}

std::string state_of(const struct stat& status) {
#if defined(__APPLE__)
  const timespec& changed = status.st_mtimespec;
#else
  const timespec& changed = status.st_mtim;
#endif
  return fmt::format("{}:{} {} {}.{}", status.st_dev, status.st_ino, status.st_size, changed.tv_sec,
                     changed.tv_nsec);
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_io(path, errno);
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    const int error = errno;
    ::close(descriptor);
    fail_io(path, error);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    if (S_ISDIR(status.st_mode)) fail_io(path, EISDIR);
    fail_at({.file = path}, ErrorCode::kIo,
            "cannot be read: expected a file, found a pipe or device",
            "save what comes out of it to a file first");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      ::close(descriptor);
      fail_io(path, error);
    }
  }
  std::shared_ptr<const MappedFile> file(new MappedFile(
      path, descriptor, static_cast<const std::byte*>(data), size, state_of(status)));
  if (data != nullptr) watch_mapping(file->data_, size, file->path_);
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    unwatch_mapping(data_);
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
  ::close(descriptor_);
}

void MappedFile::read(std::size_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const ssize_t count =
        ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_io(path_, errno);
    if (count == 0)
      fail_at({.file = path_}, ErrorCode::kIo, "cannot be read: the file has become shorter");
    offset += static_cast<std::size_t>(count);
    into = into.subspan(static_cast<std::size_t>(count));
  }
}

bool MappedFile::has_name() const {
  struct stat status = {};
  return ::fstat(descriptor_, &status) == 0 && status.st_nlink > 0;
}

bool MappedFile::is_as_mapped() const {
  struct stat status = {};
  return ::stat(path_.c_str(), &status) == 0 && state_of(status) == state_;
}

std::string read_text_file(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mx2onnx
