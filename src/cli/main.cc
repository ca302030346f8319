#include <fcntl.h>
#include <unistd.h>

#include "cli/application.h"
#include "mx2onnx/signals.h"

namespace {

// A descriptor that was closed before the program began would be given to the first file that is
// opened, and messages would be written into that.
void open_standard_files() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = ::open("/dev/null", O_RDWR);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_files();
  mx2onnx::handle_signals();
  return mx2onnx::cli::run_command_line(argc, argv);
}
