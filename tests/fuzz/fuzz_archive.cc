// Any bytes as the file that a user names: an Error, or a symbol and parameters.
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mx2onnx::fuzz::archive(data, size);
  return 0;
}
