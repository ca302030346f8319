// Any bytes as an ONNX file to look at: an Error, or what is in it.
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mx2onnx::fuzz::onnx_file(data, size);
  return 0;
}
