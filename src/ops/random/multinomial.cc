// Positions drawn with given chances: _sample_multinomial
// (src/operator/random/sample_multinomial_op.h).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/random_draws.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct MultinomialParam {
  std::optional<Tuple> shape = Tuple();
  bool get_prob = false;
  DType dtype = DType::kInt32;

  Tuple sizes() const { return shape.value_or(Tuple()); }

  static void declare(AttrDeclarer<MultinomialParam>& d) {
    d.field("shape", &MultinomialParam::shape).at_least(1).help("drawn of each distribution");
    d.field("get_prob", &MultinomialParam::get_prob).help("give the logarithms of the chances too");
    d.dtype("dtype", &MultinomialParam::dtype).help("of the numbers");
  }
};

void infer_multinomial(const MultinomialParam& p, InferContext& c) {
  c.set_output_dtype(0, p.dtype);
  if (p.get_prob) c.set_output_dtype(1, c.input(0).dtype);
  if (!c.input_shape(0).known_rank()) return;
  if (c.input_shape(0).rank() == 0) c.fail_input(0, "1 dimension or more");
  auto dims = c.input_shape(0).dims();
  dims.pop_back();
  for (const auto size : p.sizes()) dims.emplace_back(size);
  if (dims.empty()) dims.emplace_back(1);
  for (std::size_t i = 0; i < c.num_outputs(); ++i) c.set_output_shape(i, Shape(dims));
}

// As many chances as, summed up from the first one, are less than what was drawn.
void translate_multinomial(const MultinomialParam& p, Translation& t) {
  // MXNet rounds its draws to float16 where the chances are: no one sees that of draws that differ
  // anyway.
  if (t.input_type(0).dtype != DType::kFloat16 && !expect_real(t)) return;
  Builder& b = t.b;
  warn_of_draws(t);
  const Value chances = t.input(0);
  const std::size_t rank = t.input_rank(0);
  const Dim& count = t.input_shape(0)[rank - 1];
  const Dim rows = t.input_shape(0).count(0, rank - 1);
  Dim each = 1;
  for (const auto size : p.sizes()) each = each * size;
  const Value table = onnx::reshape(b, b.cast(chances, DType::kFloat64), Shape{rows, count});
  const Value sums = b.emit("CumSum", {table, b.int_scalar(1)}, {}, b.type(table));
  Draws draws(b, Shape{rows, each}, DType::kFloat64);
  const Value are_less =
      b.binary("Less", onnx::unsqueeze(b, sums, {1}), onnx::unsqueeze(b, draws.unit(), {2}));
  const Value number = onnx::reduce(b, "ReduceSum", b.cast(are_less, DType::kInt64), {2}, false);
  t.set_output(0, b.cast(onnx::reshape(b, number, t.output_shape(0)), t.output_type(0).dtype));
  if (!p.get_prob || !t.output_used(1)) return;
  const Value last = b.sub(scalar_size(b, count), b.int_scalar(1));
  const Value chosen = b.emit("GatherElements", {table, b.binary("Min", number, last)},
                              {{"axis", 1}}, {DType::kFloat64, Shape{rows, each}});
  const Value logs = b.cast(b.unary("Log", chosen), b.dtype(chances));
  t.set_output(1, onnx::reshape(b, logs, t.output_shape(1)));
}

}  // namespace

void register_multinomial(Registry& r) {
  r.add<MultinomialParam>({"_sample_multinomial", "sample_multinomial"})
      .summary("Draws positions with the given chances.")
      .outputs_by([](const MultinomialParam& p, std::size_t) {
        return p.get_prob ? std::vector<std::string>{"output0", "output1"}
                          : std::vector<std::string>{"output"};
      })
      .infer(infer_multinomial)
      .translate(translate_multinomial)
      .note(std::string(kSeedNote));
}

}  // namespace mx2onnx
