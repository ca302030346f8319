// Any bytes as a parameter file: an Error, or arrays whose every byte can be read.
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mx2onnx::fuzz::params(data, size);
  return 0;
}
