// Any bytes as a model: an Error, or an ONNX file; never more.
#include "tests/fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mx2onnx::fuzz::pipeline(data, size);
  return 0;
}
