// Positions drawn with given chances, and how often each comes: _sample_multinomial,
// _sample_categorical (src/operator/random/sample_multinomial_op.h).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/random_draws.h"
#include "ops/random/counts.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct CategoricalParam {
  std::optional<Tuple> shape = Tuple();
  bool get_prob = false;
  DType dtype = DType::kInt32;

  Tuple sizes() const { return shape.value_or(Tuple()); }

  static void declare(AttrDeclarer<CategoricalParam>& d) {
    d.field("shape", &CategoricalParam::shape).at_least(1).help("drawn of each distribution");
    d.field("get_prob", &CategoricalParam::get_prob).help("give the logarithms of the chances too");
    d.dtype("dtype", &CategoricalParam::dtype).help("of the numbers");
  }
};

void infer_categorical(const CategoricalParam& p, InferContext& c) {
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
void translate_categorical(const CategoricalParam& p, Translation& t) {
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

struct MultinomialParam {
  Tuple shape;

  static void declare(AttrDeclarer<MultinomialParam>& d) {
    d.field("shape", &MultinomialParam::shape).at_least(1).help("drawn of each distribution");
    // The numbers have the dtype of n, whatever this says.
    d.ignore({"ctx", "dtype"});
  }
};

void infer_multinomial(const MultinomialParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape chances = c.input_shape(1);
  if (!chances.known_rank()) return;
  if (chances.rank() == 0) c.fail_input(1, "1 dimension or more");
  auto dims = chances.dims();
  const Dim outcomes = dims.back();
  dims.pop_back();
  c.set_input_shape(0, Shape(dims));
  for (const auto size : p.shape) dims.emplace_back(size);
  dims.push_back(outcomes);
  c.set_output_shape(0, Shape(std::move(dims)));
}

// One outcome after the other: how many of the trials that are left have it.
void translate_multinomial(const MultinomialParam& p, Translation& t) {
  if (!expect_floating(t)) return;
  Builder& b = t.b;
  const std::size_t rank = t.input_rank(1);
  warn_of_draws(t);
  // An axis of size 1 for each of those that are drawn.
  const auto spread = [&](Value x, std::size_t place) {
    auto dims = b.shape(x).dims();
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(place), p.shape.size(), Dim(1));
    return onnx::reshape(b, b.cast(x, DType::kFloat64), Shape(std::move(dims)));
  };
  auto dims = t.input_shape(0).dims();
  for (const auto size : p.shape) dims.emplace_back(size);
  const Value counts = multinomial_counts(b, spread(t.input(0), rank - 1),
                                          spread(t.input(1), rank - 1), Shape(std::move(dims)));
  t.set_output(0, b.cast(counts, t.output_type(0).dtype));
}

}  // namespace

Value multinomial_counts(Builder& b, Value trials, Value chances, const Shape& shape) {
  const auto real = [&](double value) { return b.scalar(DType::kFloat64, value); };
  const Dim outcomes = b.shape(chances).dims().back();
  auto dims = shape.dims();
  dims.push_back(outcomes);
  Draws draws(b, shape, DType::kFloat64);
  const Value all_trials = onnx::expand(b, trials, shape);
  const Value all_chances = onnx::fill(b, DType::kFloat64, 1, shape);
  const Value none = onnx::fill(b, DType::kFloat64, 0, Shape(std::move(dims)));
  const Value last = b.sub(scalar_size(b, outcomes), b.int_scalar(1));
  const auto end = draws.repeat(
      outcomes, {all_trials, all_chances, none}, [&](Value k, const std::vector<Value>& states) {
        const Value chance = b.gather(chances, k, -1);
        const Value has_rest = b.binary("Less", real(0), states[1]);
        const Value share = b.div(chance, b.where(has_rest, states[1], real(1)));
        const Value bounded = b.binary("Min", b.binary("Max", share, real(0)), real(1));
        const Value count =
            draws.binomial(states[0], b.where(b.binary("Equal", k, last), real(1), bounded));
        const Value is_here = b.binary("Equal", counting(b, outcomes), k);
        return std::vector<Value>{b.sub(states[0], count), b.sub(states[1], chance),
                                  b.where(is_here, onnx::unsqueeze(b, count, {-1}), states[2])};
      });
  return end[2];
}

void register_multinomial(Registry& r) {
  const auto outputs = [](const CategoricalParam& p, std::size_t) {
    return p.get_prob ? std::vector<std::string>{"output0", "output1"}
                      : std::vector<std::string>{"output"};
  };
  r.add<CategoricalParam>({"_sample_multinomial", "sample_multinomial", "_npx__random_multinomial"})
      .summary("Draws positions with the given chances.")
      .outputs_by(outputs)
      .infer(infer_categorical)
      .translate(translate_categorical)
      .note(std::string(kSeedNote))
      .variant<MultinomialParam>(
          OriginRange::since(2, 0), "draws how often each outcome comes", [](auto& variant) {
            variant.inputs({{"n", InputRole::kData}, {"p", InputRole::kData}})
                .infer(infer_multinomial)
                .translate(translate_multinomial)
                .note(std::string(kSeedNote));
          });
  r.add<CategoricalParam>({"_sample_categorical", "sample_categorical", "_npx__random_categorical"})
      .summary("Draws positions with the given chances.")
      .outputs_by(outputs)
      .infer(infer_categorical)
      .translate(translate_categorical)
      .note(std::string(kSeedNote));
}

}  // namespace mx2onnx
