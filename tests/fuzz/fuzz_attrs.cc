// Any text as the value of an attribute of any operator, among others that fit: a problem, or a
// value.
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mx2onnx::fuzz::attrs(data, size);
  return 0;
}
