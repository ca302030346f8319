#include "base/temporary_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <ctime>

namespace mx2onnx {
namespace {

// More files than a process writes at a time; those beyond are not removed by a signal.
constexpr std::size_t kMostRemembered = 256;
std::array<std::atomic<const char*>, kMostRemembered> remembered;

// A file is made a moment before it is locked.
constexpr std::time_t kNewSeconds = 2;

void remove_if_left(const std::string& name) {
  const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return;
  struct stat status = {};
  const bool is_old = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
                      std::time(nullptr) - status.st_mtime > kNewSeconds;
  if (is_old && ::flock(file, LOCK_EX | LOCK_NB) == 0) ::unlink(name.c_str());
  ::close(file);
}

}  // namespace

std::string free_temporary_name(const std::string& target) {
  for (unsigned i = 0;; ++i) {
    std::string name = fmt::format("{}.mx2onnx-{}.tmp", target, i);
    remove_if_left(name);
    if (::access(name.c_str(), F_OK) != 0) return name;
  }
}

// Where a file system has no locks nothing is ever taken for a remainder.
void hold_temporary(int descriptor) { ::flock(descriptor, LOCK_EX | LOCK_NB); }

void remember_temporary(const char* name) {
  for (auto& slot : remembered) {
    const char* free = nullptr;
    if (slot.compare_exchange_strong(free, name)) return;
  }
}

void forget_temporary(const char* name) {
  for (auto& slot : remembered) {
    const char* expected = name;
    if (slot.compare_exchange_strong(expected, nullptr)) return;
  }
}

void remove_remembered() {
  for (auto& name : remembered) {
    const char* path = name.load();
    if (path != nullptr) ::unlink(path);
  }
}

}  // namespace mx2onnx
