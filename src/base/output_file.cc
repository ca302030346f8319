#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/temporary_names.h"

namespace mx2onnx {
namespace {

std::string resolve_links(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const auto resolved = std::filesystem::canonical(path, error);
  return error ? path : resolved.string();
}

std::string directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  return directory.empty() ? "." : directory.string();
}

}  // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)), target_(resolve_links(path_)) {
  open();
}

void OutputFile::open() {
  struct stat status = {};
  if (::stat(target_.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) fail_write(EISDIR);
    if (!S_ISREG(status.st_mode)) {
      kind_ = Kind::kDirect;
      descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
      if (descriptor_ < 0) fail_write(errno);
      return;
    }
    // rename() would replace a file that its owner has made read-only.
    if (::access(target_.c_str(), W_OK) != 0) fail_write(errno);
  }
  temporary_ = free_temporary_name(target_);
#if defined(O_TMPFILE)
  descriptor_ = ::open(directory_of(target_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor_ >= 0) {
    kind_ = Kind::kUnnamed;
    return;
  }
#endif
  open_temporary();
}

void OutputFile::open_temporary() {
  kind_ = Kind::kTemporary;
  for (;;) {
    // A signal between the two calls must find the name.
    remember_temporary(temporary_.c_str());
    descriptor_ = ::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) break;
    const int error = errno;
    forget_temporary(temporary_.c_str());
    if (error != EEXIST) fail_write(error);
    temporary_ = free_temporary_name(target_);
  }
  hold_temporary(descriptor_);
}

// Gives the unnamed file a name beside the target, which rename() wants.
void OutputFile::link_temporary() {
  const auto link = fmt::format("/proc/self/fd/{}", descriptor_);
  hold_temporary(descriptor_);
  for (;;) {
    remember_temporary(temporary_.c_str());
    if (::linkat(AT_FDCWD, link.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0)
      break;
    const int error = errno;
    forget_temporary(temporary_.c_str());
    if (error != EEXIST) fail_write(error);
    temporary_ = free_temporary_name(target_);
  }
  kind_ = Kind::kTemporary;
}

OutputFile::~OutputFile() {
  if (kind_ == Kind::kTemporary) {
    ::unlink(temporary_.c_str());
    forget_temporary(temporary_.c_str());
  }
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::append(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  BufferedSink::append(bytes);
}

void OutputFile::append_range(const MappedFile& file, std::size_t offset, std::size_t size) {
  size_ += size;
  BufferedSink::append_range(file, offset, size);
}

void OutputFile::write_piece(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail_write(errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// Nothing is interrupted from here on: of two files both are made, or none.
void OutputFile::commit() { commit_as(target_); }

void OutputFile::commit_as(const std::string& path) {
  flush();
  if (kind_ == Kind::kUnnamed) link_temporary();
  // A full disk may show only when the file is closed (network file systems, quotas). A second
  // descriptor keeps the lock.
  const int second = kind_ == Kind::kTemporary ? ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0) : -1;
  if (::close(std::exchange(descriptor_, second)) != 0) fail_write(errno);
  if (kind_ != Kind::kTemporary) return;
  if (std::rename(temporary_.c_str(), path.c_str()) != 0) fail_write(errno);
  forget_temporary(temporary_.c_str());
  kind_ = Kind::kDirect;
}

void OutputFile::fail_write(int error) const {
  fail_at({.file = path_}, ErrorCode::kIo,
          fmt::format("cannot be written: {}", std::strerror(error)));
}

}  // namespace mx2onnx
