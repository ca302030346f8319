// softmax_cross_entropy: the loss itself (src/operator/loss_binary_op-inl.h). Loss heads, which
// compute none, are in loss_head.cc.
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

void infer_softmax_cross_entropy(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(2));
  c.set_input_shape(1, Shape{c.input_shape(0)[0]});
  c.set_input_shape(0, Shape{c.input_shape(1)[0], Dim()});
  c.set_output_shape(0, Shape{1});
}

void translate_softmax_cross_entropy(const NoParam& /*p*/, Translation& t) {
  if (!expect_floating(t)) return;
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  const Value chances = onnx::softmax(b, "Softmax", t.input(0), 1);
  const Value label = onnx::unsqueeze(b, b.cast(t.input(1), DType::kInt64), {1});
  const Value chosen = b.emit("GatherElements", {chances, label}, {{"axis", 1}},
                              {dtype, Shape{t.input_shape(0)[0], 1}});
  const Value bounded = b.binary("Max", chosen, b.scalar(dtype, 1e-8F));
  const Value loss = b.unary("Neg", b.unary("Log", bounded));
  t.set_output(0, onnx::squeeze(b, onnx::reduce(b, "ReduceSum", loss, {0}, true), {1}));
}

}  // namespace

void register_softmax_cross_entropy(Registry& r) {
  r.add<NoParam>({"softmax_cross_entropy"})
      .summary("The sum of -log of the softmax at the labels.")
      .inputs({{"data", InputRole::kData}, {"label", InputRole::kData}})
      .infer(infer_softmax_cross_entropy)
      .translate(translate_softmax_cross_entropy)
      .note("A label that is not a column reads other memory in MXNet, and is an error in ONNX.");
}

}  // namespace mx2onnx
