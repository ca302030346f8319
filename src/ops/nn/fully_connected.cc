// FullyConnected (src/operator/nn/fully_connected.cc).
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct FullyConnectedParam {
  std::int64_t num_hidden = 0;
  bool no_bias = false;
  bool flatten = true;

  static void declare(AttrDeclarer<FullyConnectedParam>& d) {
    d.field("num_hidden", &FullyConnectedParam::num_hidden)
        .required()
        .at_least(1)
        .help("size of the output");
    d.field("no_bias", &FullyConnectedParam::no_bias).help("no third input");
    d.field("flatten", &FullyConnectedParam::flatten).help("all axes but the first are one");
  }
};

std::vector<InputDef> fully_connected_inputs(const FullyConnectedParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}, {"weight", InputRole::kWeight}};
  if (!p.no_bias) inputs.push_back({"bias", InputRole::kWeight});
  return inputs;
}

void infer_fully_connected(const FullyConnectedParam& p, InferContext& c) {
  c.unify_dtypes();
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

// Batch and features; the natural form of it is Flatten, and for vectors an axis more.
Value as_matrix(Builder& b, Value x) {
  const Shape& shape = b.shape(x);
  if (shape.rank() == 2) return x;
  if (shape.rank() == 1) return onnx::unsqueeze(b, x, {1});
  return b.emit("Flatten", {x}, {{"axis", 1}},
                {b.dtype(x), Shape{shape[0], shape.count(1, shape.rank())}});
}

void translate_fully_connected(const FullyConnectedParam& p, Translation& t) {
  Builder& b = t.b;
  if (p.flatten || t.input_rank(0) == 2) {
    std::vector<Value> inputs{as_matrix(b, t.input(0)), t.input(1)};
    if (!p.no_bias) inputs.push_back(t.input(2));
    t.set_output(0, b.emit("Gemm", std::move(inputs), {{"transB", 1}}, t.output_type(0)));
    return;
  }
  // MatMul and Add are what runtimes fuse; the transposed weight is made while it is written.
  const Value weight = b.transpose(t.input(1), {1, 0});
  Value y = b.emit("MatMul", {t.input(0), weight}, {}, t.output_type(0));
  if (!p.no_bias) y = b.add(y, t.input(2));
  t.set_output(0, y);
}

}  // namespace

void register_fully_connected(Registry& r) {
  r.add<FullyConnectedParam>({"FullyConnected", "_npx_fully_connected", "_sparse_FullyConnected"})
      .summary("Multiplies by the transposed weight and adds the bias.")
      .inputs_by(fully_connected_inputs)
      .infer(infer_fully_connected)
      .translate(translate_fully_connected);
}

}  // namespace mx2onnx
