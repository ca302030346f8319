#include "base/mapping_faults.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"

namespace mx2onnx {
namespace {

struct Watched {
  std::atomic<std::uintptr_t> begin = 0;  // 0: free
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<bool> shrunk = false;
  // Not for the handler.
  std::thread::id owner;
  const std::string* path = nullptr;
};

std::array<Watched, 512> watched;
std::mutex changing;
struct sigaction previous = {};
thread_local std::optional<std::string> shrunk_before;  // of a mapping that is gone

// Only what may be called in a signal handler: the system's own calls, and atomics.
extern "C" void on_bus_error(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (Watched& mapping : watched) {
    const std::uintptr_t begin = mapping.begin;
    const std::uintptr_t end = mapping.end;
    if (begin == 0 || address < begin || address >= end) continue;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const std::uintptr_t from = address / page * page;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the handler gets the address as it is
    void* zeros = ::mmap(reinterpret_cast<void*>(from), end - from, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    mapping.shrunk = true;
    return;
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0) return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
    return previous.sa_handler(signal);
  std::signal(signal, SIG_DFL);  // the instruction runs again, and ends the process
}

void install() {
  struct sigaction action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous);
}

}  // namespace

void watch_mapping(const std::byte* data, std::size_t size, const std::string& path) {
  static std::once_flag installed;
  std::call_once(installed, install);
  const std::scoped_lock lock(changing);
  for (Watched& mapping : watched) {
    if (mapping.begin != 0) continue;
    mapping.shrunk = false;
    mapping.owner = std::this_thread::get_id();
    mapping.path = &path;
    mapping.end = reinterpret_cast<std::uintptr_t>(data) + size;
    mapping.begin = reinterpret_cast<std::uintptr_t>(data);
    return;
  }
}

void unwatch_mapping(const std::byte* data) {
  const std::scoped_lock lock(changing);
  for (Watched& mapping : watched) {
    if (mapping.begin != reinterpret_cast<std::uintptr_t>(data)) continue;
    if (mapping.shrunk && mapping.owner == std::this_thread::get_id())
      shrunk_before = *mapping.path;
    mapping.begin = 0;
    return;
  }
}

std::optional<std::string> take_shrunk_file() {
  const std::scoped_lock lock(changing);
  for (Watched& mapping : watched) {
    if (mapping.begin == 0 || mapping.owner != std::this_thread::get_id()) continue;
    if (mapping.shrunk.exchange(false)) shrunk_before = *mapping.path;
  }
  return std::exchange(shrunk_before, std::nullopt);
}

void fail_if_shrunk() {
  if (const auto path = take_shrunk_file())
    fail_at({.file = *path}, ErrorCode::kIo, "cannot be read: the file has become shorter");
}

}  // namespace mx2onnx
