#include "ops/expressions/dense.h"

#include "onnx/opset.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

std::vector<InputDef> fully_connected_inputs(const FullyConnectedParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}, {"weight", InputRole::kWeight}};
  if (!p.no_bias) inputs.push_back({"bias", InputRole::kWeight});
  return inputs;
}

void infer_dense_shapes(const FullyConnectedParam& p, InferContext& c) {
  if (!p.no_bias) c.set_input_shape(2, Shape{p.num_hidden});
  c.set_input_shape(1, Shape{p.num_hidden, Dim()});
  // Back from the output, as MXNet does: the batch, and without flatten everything but the last
  // axis.
  const Shape& output = c.output_shape(0);
  if (!p.flatten && output.known_rank()) c.set_input_shape(0, Shape::unknown_dims(output.rank()));
  if (!c.input_shape(0).known_rank()) return;
  const std::size_t rank = c.input_shape(0).rank();
  if (rank == 0) c.fail_input(0, "1 dimension or more");
  const auto features = [&] {
    const Shape& data = c.input_shape(0);
    return p.flatten ? data.count(1, rank) : data[rank - 1];
  };
  if (features().is_constant()) c.set_input_shape(1, Shape{p.num_hidden, features()});
  Shape data = Shape::unknown_dims(rank);
  for (std::size_t i = 0; i < (p.flatten ? 1 : rank - 1) && i < output.rank(); ++i)
    data[i] = output[i];
  if (!p.flatten || rank == 2) data[rank - 1] = c.input_shape(1)[1];
  c.set_input_shape(0, data);
  c.set_input_shape(1, Shape{p.num_hidden, features()});
  Shape result = p.flatten ? Shape{c.input_shape(0)[0], p.num_hidden} : c.input_shape(0);
  result[result.rank() - 1] = p.num_hidden;
  c.set_output_shape(0, result);
}

Value as_matrix(Builder& b, Value x) {
  const Shape& shape = b.shape(x);
  if (shape.rank() == 2) return x;
  if (shape.rank() == 1) return onnx::unsqueeze(b, x, {1});
  return b.emit("Flatten", {x}, {{"axis", 1}},
                {b.dtype(x), Shape{shape[0], shape.count(1, shape.rank())}});
}

}  // namespace mx2onnx
