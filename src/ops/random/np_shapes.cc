// See np_shapes.h.
#include "ops/random/np_shapes.h"
#include "ops/expressions/broadcasting.h"

#include "base/error.h"
#include "onnx/builder.h"

namespace mx2onnx {

std::vector<InputDef> draw_inputs(std::size_t count) {
  std::vector<InputDef> inputs;
  for (std::size_t i = 1; i <= count; ++i) {
    inputs.push_back({"input" + std::to_string(i), InputRole::kData});
  }
  return inputs;
}

void infer_draw_shape(const std::optional<Tuple>& size, InferContext& c, bool is_n) {
  std::vector<Dim> dims;
  bool has_both = is_n || !size;
  for (std::size_t i = 0; size && i < size->size(); ++i) {
    const std::int64_t number = (*size)[i];
    if (number == -2 && i == 0 && !is_n) {
      has_both = true;
    } else if (number < 0) {
      fail(ErrorCode::kModel, "attribute 'size': expected sizes of at least 0");
    } else {
      dims.emplace_back(number);
    }
  }
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (!c.input_shape(i).known()) return;
  }
  const Shape parameters = broadcast_inputs(c);
  if (has_both) {
    dims.insert(dims.end(), parameters.dims().begin(), parameters.dims().end());
  }
  const Shape shape(std::move(dims));
  if (!may_broadcast_to(parameters, shape)) {
    fail(ErrorCode::kModel, "attribute 'size': expected a shape that the parameters broadcast to");
  }
  c.set_output_shape(0, shape);
}

}  // namespace mx2onnx
