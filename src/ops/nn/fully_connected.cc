// FullyConnected (src/operator/nn/fully_connected.cc).
#include "ir/computed.h"
#include "ops/expressions/dense.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

void infer_fully_connected(const FullyConnectedParam& p, InferContext& c) {
  c.unify_dtypes();
  infer_dense_shapes(p, c);
}

void translate_fully_connected(const FullyConnectedParam& p, Translation& t) {
  Builder& b = t.b;
  if (p.flatten || t.input_rank(0) == 2) {
    std::vector<Value> inputs{as_matrix(b, t.input(0)), t.input(1)};
    if (!p.no_bias) inputs.push_back(t.input(2));
    // ONNX Runtime before 1.10 does not load a Gemm without a bias that an activation follows.
    if (p.no_bias && t.input_shape(1)[0].is_constant()) {
      const Tensor zero = make_scalar(t.output_type(0).dtype, 0);
      inputs.push_back(b.constant(strided(zero, {t.input_shape(1)[0].value()}, 0, {0})));
    }
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
