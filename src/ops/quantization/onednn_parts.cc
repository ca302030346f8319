// See onednn_parts.h.
#include "ops/quantization/onednn_parts.h"

namespace mx2onnx {
namespace {

using onnx::Value;

const Shape& range_shape() {
  static const Shape shape{Dim(1)};
  return shape;
}

}  // namespace

void infer_range(InferContext& c, std::size_t first) {
  for (std::size_t i = first; i < first + 2; ++i) {
    c.set_input_dtype(i, DType::kFloat32);
    c.set_input_shape(i, range_shape());
  }
}

void infer_range_of_output(InferContext& c, std::size_t first) {
  for (std::size_t i = first; i < first + 2; ++i) {
    c.set_output_dtype(i, DType::kFloat32);
    c.set_output_shape(i, range_shape());
  }
}

void expect_quantized(InferContext& c, std::size_t i) {
  const DType dtype = c.input(i).dtype;
  if (dtype != DType::kUnknown && dtype != DType::kInt8 && dtype != DType::kUint8)
    c.fail_input(i, "int8 or uint8");
}

void infer_same_shape(InferContext& c) {
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_shape(0, c.output_shape(0));
}

Value whole_step(onnx::Builder& b) { return b.scalar(DType::kFloat32, 1); }

std::vector<InputDef> data_inputs(const std::vector<std::string>& names) {
  std::vector<InputDef> inputs;
  for (const auto& name : names) inputs.push_back({name, InputRole::kData});
  return inputs;
}

}  // namespace mx2onnx
