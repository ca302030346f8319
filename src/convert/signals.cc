#include "mx2onnx/signals.h"

#include <csignal>

#include "base/temporary_names.h"

namespace mx2onnx {
namespace {

extern "C" void remove_and_end(int signal) {
  remove_remembered();
  std::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered when this handler returns
}

}  // namespace

void handle_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now = {};
    // What nohup ignores stays ignored.
    if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) continue;
    std::signal(signal, remove_and_end);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace mx2onnx
