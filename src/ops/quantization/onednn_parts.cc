// See onednn_parts.h.
#include "ops/quantization/onednn_parts.h"

namespace mx2onnx {
void expect_quantized(InferContext& c, std::size_t i) {
  const DType dtype = c.input(i).dtype;
  if (dtype != DType::kUnknown && !is_int8_or_uint8(dtype)) c.fail_input(i, "int8 or uint8");
}

void infer_same_shape(InferContext& c) {
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_shape(0, c.output_shape(0));
}

onnx::Value whole_step(onnx::Builder& b) { return b.scalar(DType::kFloat32, 1); }

}  // namespace mx2onnx
