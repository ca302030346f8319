// Choices and counts of NumPy's interface (src/operator/numpy/random/np_choice_op.h,
// np_multinomial_op.h).
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/random_draws.h"
#include "ops/random/counts.h"
#include "ops/random/np_shapes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// More do not fit draws of 53 bits evenly.
constexpr double kMostChoices = 1099511627776.0;  // 2^40

struct ChoiceParam {
  std::optional<std::int64_t> a;
  std::optional<Tuple> size;
  bool replace = true;
  bool weighted = false;

  static void declare(AttrDeclarer<ChoiceParam>& d) {
    d.field("a", &ChoiceParam::a)
        .required()
        .at_least(1)
        .at_most(kMostChoices)
        .help("how many there are to choose from; None: as many as an input has elements");
    d.field("size", &ChoiceParam::size).required().at_least(0).help("of the array; None: one");
    d.field("replace", &ChoiceParam::replace).help("one may be chosen again");
    d.field("weighted", &ChoiceParam::weighted).help("the last input has the chances");
    d.ignore({"ctx"});
  }
  Shape shape() const { return Shape::of(size.value_or(Tuple())); }
};

std::vector<AttrProblem> check_choice(const ChoiceParam& p, const CheckContext& /*c*/) {
  if (p.replace || !p.a) return {};
  const Dim count = p.shape().count();
  if (count.value() <= *p.a) return {};
  return {{"size", "expected not more than there are to choose from", ""}};
}

// Without replacement the largest of log(chance) + Gumbel's noise are those that come first.
Value choose_different(Builder& b, const ChoiceParam& p, const Dim& choices, Value chances) {
  Draws draws(b, Shape{choices}, DType::kFloat64);
  Value keys = draws.unit();
  if (chances.present()) {
    const Value one = b.scalar(DType::kFloat64, 1);
    keys = b.sub(b.unary("Log", chances), b.unary("Log", draws.exponential(one)));
  }
  return onnx::top_k(b, keys, p.shape().count(), 0, true).second;
}

Value choose_any(Builder& b, const ChoiceParam& p, const Dim& choices, Value chances) {
  Draws draws(b, Shape{p.shape().count()}, DType::kFloat64);
  if (!chances.present()) {
    const Value count = b.cast(scalar_size(b, choices), DType::kFloat64);
    return b.cast(b.unary("Floor", b.mul(draws.unit(), count)), DType::kInt64);
  }
  const Value sums = b.emit("CumSum", {chances, b.int_scalar(0)}, {}, b.type(chances));
  const Value are_less = b.binary("Less", sums, onnx::unsqueeze(b, draws.unit(), {1}));
  return onnx::reduce(b, "ReduceSum", b.cast(are_less, DType::kInt64), {1}, false);
}

void translate_choice(const ChoiceParam& p, Translation& t) {
  Builder& b = t.b;
  warn_of_draws(t);
  const Dim choices = p.a ? Dim(*p.a) : t.input_shape(0).count();
  if (!p.replace && choices.is_constant() && p.shape().count().value() > choices.value()) {
    return t.refuse("chooses more different ones than there are");
  }
  Value chances;
  if (p.weighted) {
    const std::size_t input = p.a ? 0 : 1;
    const Value given = b.cast(t.input(input), DType::kFloat64);
    chances = onnx::reshape(b, given, Shape{t.input_shape(input).count()});
  }
  const Value chosen =
      p.replace ? choose_any(b, p, choices, chances) : choose_different(b, p, choices, chances);
  t.set_output(0, onnx::reshape(b, chosen, t.output_shape(0)));
}

struct CountsParam {
  std::int64_t n = 0;
  std::optional<FloatTuple> pvals;
  std::optional<Tuple> size;

  static void declare(AttrDeclarer<CountsParam>& d) {
    d.field("n", &CountsParam::n).required().at_least(0).help("number of experiments");
    d.field("pvals", &CountsParam::pvals).at_least(0).help("chances; None: an input has them");
    declare_size(d, &CountsParam::size);
  }
};

void infer_counts(const CountsParam& p, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  std::vector<Dim> dims;
  for (const auto number : p.size.value_or(Tuple())) {
    if (number < 0) fail(ErrorCode::kModel, "attribute 'size': expected sizes of at least 0");
    dims.emplace_back(number);
  }
  if (!p.pvals) {
    c.set_input_shape(0, Shape::unknown_dims(1));
    dims.push_back(c.input_shape(0)[0]);
  } else {
    dims.emplace_back(static_cast<std::int64_t>(p.pvals->size()));
  }
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_counts(const CountsParam& p, Translation& t) {
  Builder& b = t.b;
  if (!p.pvals && !expect_floating(t)) return;
  warn_of_draws(t);
  if (t.output_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, DType::kInt64, 0, t.output_shape(0)));
  }
  Value chances;
  if (p.pvals) {
    const auto count = static_cast<std::int64_t>(p.pvals->size());
    chances = b.constant(make_tensor_as(DType::kFloat64, {count}, *p.pvals));
  } else {
    chances = b.cast(t.input(0), DType::kFloat64);
  }
  auto dims = t.output_shape(0).dims();
  dims.pop_back();
  const Value trials = b.scalar(DType::kFloat64, static_cast<double>(p.n));
  const Value counts = multinomial_counts(b, trials, chances, Shape(std::move(dims)));
  t.set_output(0, b.cast(counts, DType::kInt64));
}

}  // namespace

void register_np_choice(Registry& r) {
  r.add<ChoiceParam>({"_npi_choice"})
      .summary("Chooses positions, with given chances or with one for all.")
      .inputs_by([](const ChoiceParam& p) { return draw_inputs((p.a ? 0 : 1) + p.weighted); })
      .infer([](const ChoiceParam& p, InferContext& c) {
        c.set_output_dtype(0, DType::kInt64);
        c.set_output_shape(0, p.shape());
      })
      .check(check_choice)
      .translate(translate_choice)
      .note(std::string(kSeedNote));
  r.add<CountsParam>({"_npi_multinomial"})
      .summary("Draws how often each of several outcomes comes.")
      .inputs_by([](const CountsParam& p) {
        return p.pvals ? std::vector<InputDef>{} : std::vector<InputDef>{{"a", InputRole::kData}};
      })
      .infer(infer_counts)
      .translate(translate_counts)
      .note(std::string(kSeedNote));
}

}  // namespace mx2onnx
