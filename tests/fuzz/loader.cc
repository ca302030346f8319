#include "tests/fuzz/loader.h"

#include <signal.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace mx2onnx::fuzz {
namespace {

void expect(bool is_well, const char* what) {
  if (is_well) return;
  std::perror(what);
  std::abort();
}

void write_all(int file, const char* data, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(file, data, size);
    if (written < 0 && errno == EINTR) continue;  // libFuzzer's clock
    expect(written > 0, "the process that loads models does not read");
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

void read_all(int file, char* data, std::size_t size) {
  while (size > 0) {
    const auto found = ::read(file, data, size);
    if (found < 0 && errno == EINTR) continue;
    expect(found > 0, "the process that loads models has ended: ONNX Runtime crashed");
    data += found;
    size -= static_cast<std::size_t>(found);
  }
}

}  // namespace

Loader::Loader() {
  const char* command = std::getenv("MX2ONNX_FUZZ_LOADER");
  if (command == nullptr) {
    std::fputs("MX2ONNX_FUZZ_LOADER is not set: no model is loaded into ONNX Runtime\n", stderr);
    return;
  }
  std::array<int, 2> there{};
  std::array<int, 2> back{};
  expect(::pipe(there.data()) == 0 && ::pipe(back.data()) == 0, "pipe");
  ::signal(SIGPIPE, SIG_IGN);
  const auto child = ::fork();
  expect(child >= 0, "fork");
  if (child == 0) {
    ::dup2(there[0], STDIN_FILENO);
    ::dup2(back[1], STDOUT_FILENO);
    for (const int file : {there[0], there[1], back[0], back[1]}) ::close(file);
    ::execl("/bin/sh", "sh", "-c", command, nullptr);
    ::_exit(127);
  }
  ::close(there[0]);
  ::close(back[1]);
  to_ = there[1];
  from_ = back[0];
}

std::string Loader::fault_of(const std::string& model) {
  if (to_ < 0) return "";
  auto size = static_cast<std::uint32_t>(model.size());
  write_all(to_, reinterpret_cast<const char*>(&size), sizeof size);
  write_all(to_, model.data(), model.size());
  read_all(from_, reinterpret_cast<char*>(&size), sizeof size);
  std::string fault(size, '\0');
  read_all(from_, fault.data(), fault.size());
  return fault;
}

}  // namespace mx2onnx::fuzz
