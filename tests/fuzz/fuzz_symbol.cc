// Any bytes as a symbol file: an Error, or a symbol that can be upgraded and resolved.
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mx2onnx::fuzz::symbol(data, size);
  return 0;
}
