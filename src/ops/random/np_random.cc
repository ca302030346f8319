// Random numbers of NumPy's interface (src/operator/numpy/random): each parameter of a distribution
// is an attribute or, where that is None, an input, and the parameters broadcast to the result.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/random/distributions.h"
#include "ops/random/np_shapes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

using Parameters = std::vector<Value>;

// A number of [0, 1] that has a logarithm.
Value above_zero(Builder& b, Value x) { return b.binary("Max", x, b.scalar(b.dtype(x), 1e-37)); }
Value one(Builder& b, Value like) { return b.scalar(b.dtype(like), 1); }
// Of the exponential distribution, at rate 1; not 0.
Value waiting(Builder& b, Draws& d) {
  const Value rest = b.sub(b.scalar(d.dtype(), 1), d.unit());
  return above_zero(b, b.unary("Neg", b.unary("Log", rest)));
}

Value uniform(Builder& /*b*/, Draws& d, const Parameters& p) { return d.uniform(p[0], p[1]); }
Value normal(Builder& /*b*/, Draws& d, const Parameters& p) { return d.normal(p[0], p[1]); }
Value gamma(Builder& /*b*/, Draws& d, const Parameters& p) { return d.gamma(p[0], p[1]); }

Value located(Builder& b, Value standard, const Parameters& p) {
  return b.add(p[0], b.mul(standard, p[1]));
}
Value gumbel(Builder& b, Draws& d, const Parameters& p) {
  return located(b, b.unary("Neg", b.unary("Log", waiting(b, d))), p);
}
Value logistic(Builder& b, Draws& d, const Parameters& p) {
  const Value u = d.unit();
  const Value logs = b.sub(b.unary("Log", above_zero(b, u)), b.unary("Log", b.sub(one(b, u), u)));
  return located(b, logs, p);
}
Value laplace(Builder& b, Draws& d, const Parameters& p) {
  const Value u = d.unit();
  const Value is_low = b.binary("Less", u, b.scalar(b.dtype(u), 0.5));
  const Value tail = b.where(is_low, u, b.sub(one(b, u), u));
  const Value log = b.unary("Log", above_zero(b, b.add(tail, tail)));
  return located(b, b.where(is_low, log, b.unary("Neg", log)), p);
}
Value exponential(Builder& b, Draws& d, const Parameters& p) { return b.mul(p[0], waiting(b, d)); }
Value rayleigh(Builder& b, Draws& d, const Parameters& p) {
  const Value wait = waiting(b, d);
  return b.mul(p[0], b.unary("Sqrt", b.add(wait, wait)));
}
Value pareto(Builder& b, Draws& d, const Parameters& p) {
  const Value power = b.unary("Exp", b.div(waiting(b, d), p[0]));
  return b.sub(power, one(b, power));
}
Value weibull(Builder& b, Draws& d, const Parameters& p) {
  return b.binary("Pow", waiting(b, d), b.unary("Reciprocal", p[0]));
}
Value power(Builder& b, Draws& d, const Parameters& p) {
  const Value u = d.unit();
  return b.binary("Pow", b.sub(one(b, u), u), b.unary("Reciprocal", p[0]));
}

enum class Bound { kNone, kNotNegative, kPositive };

bool is_within(double value, Bound bound) {
  if (bound == Bound::kNone) return !std::isnan(value);
  return bound == Bound::kPositive ? value > 0 : value >= 0;
}

// A distribution: how its parameters are called, which of them have what default and bounds.
struct NpDistribution {
  std::string_view name;
  std::string_view first;
  std::string_view second;  ///< Empty where there is one parameter.
  bool is_required;
  std::optional<double> initial;
  bool has_dtype;
  std::array<Bound, 2> bounds;
  Value (*draw)(Builder& b, Draws& d, const Parameters& p);
  bool has_n = false;  ///< There is an operator that draws so many of each, too.
};

constexpr Bound kAny = Bound::kNone;
constexpr Bound kNotNegative = Bound::kNotNegative;
constexpr Bound kPositive = Bound::kPositive;
constexpr NpDistribution kDistributions[] = {
    {"uniform", "low", "high", true, {}, true, {kAny, kAny}, uniform, true},
    {"normal", "loc", "scale", true, {}, true, {kAny, kNotNegative}, normal, true},
    {"gamma", "shape", "scale", true, {}, true, {kPositive, kPositive}, gamma},
    {"laplace", "loc", "scale", true, {}, true, {kAny, kAny}, laplace},
    {"gumbel", "loc", "scale", true, {}, false, {kAny, kNotNegative}, gumbel},
    {"logistic", "loc", "scale", true, {}, false, {kAny, kNotNegative}, logistic},
    {"exponential", "scale", "", false, 1, false, {kNotNegative, kAny}, exponential},
    {"rayleigh", "scale", "", false, 1, false, {kNotNegative, kAny}, rayleigh},
    {"pareto", "a", "", false, {}, false, {kPositive, kAny}, pareto},
    {"weibull", "a", "", false, {}, false, {kPositive, kAny}, weibull},
    {"powerd", "a", "", false, {}, false, {kPositive, kAny}, power},
};

template <std::size_t kIndex>
struct NpDrawParam {
  static constexpr const NpDistribution& kOf = kDistributions[kIndex];
  std::optional<double> first = kOf.initial;
  std::optional<double> second;
  std::optional<Tuple> size;
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<NpDrawParam>& d) {
    auto first = d.field(std::string(kOf.first), &NpDrawParam::first);
    first.help("parameter of the distribution; None: an input");
    if (kOf.is_required) first.required();
    if (!kOf.second.empty()) {
      d.field(std::string(kOf.second), &NpDrawParam::second)
          .required()
          .help("parameter of the distribution; None: an input");
    }
    declare_size(d, &NpDrawParam::size);
    if (kOf.has_dtype) d.dtype("dtype", &NpDrawParam::dtype).help("None is float32");
    d.ignore({"ctx"});
  }

  // The attributes, of which those that are missing are inputs.
  std::vector<std::optional<double>> parameters() const {
    if (kOf.second.empty()) return {first};
    return {first, second};
  }
};

template <typename P>
std::vector<AttrProblem> check_np_draw(const P& p, const CheckContext& /*c*/) {
  std::vector<AttrProblem> problems;
  const auto parameters = p.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i] || is_within(*parameters[i], P::kOf.bounds[i])) continue;
    problems.push_back({std::string(i == 0 ? P::kOf.first : P::kOf.second),
                        "makes a distribution that does not exist", ""});
  }
  return problems;
}

template <typename P>
void translate_np_draw(const P& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (!is_floating(dtype) || dtype == DType::kBfloat16) return refuse_draws(t, dtype);
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    if (t.input_type(i).dtype == DType::kBool) return t.refuse("MXNet takes no bool parameters");
  }
  warn_of_draws(t);
  const DType drawn_in = draw_dtype(dtype);
  Parameters parameters;
  std::size_t input = 0;
  for (const auto& parameter : p.parameters()) {
    // MXNet has the attributes as float32.
    parameters.push_back(parameter ? b.scalar(drawn_in, static_cast<float>(*parameter))
                                   : b.cast(t.input(input++), drawn_in));
  }
  Draws draws(b, t.output_shape(0), drawn_in);
  t.set_output(0, b.cast(P::kOf.draw(b, draws, parameters), dtype));
}

template <std::size_t kIndex>
void add_np_draw(Registry& r) {
  using P = NpDrawParam<kIndex>;
  for (const bool is_n : {false, true}) {
    if (is_n && !P::kOf.has_n) continue;
    r.add<P>({fmt::format("_npi_{}{}", P::kOf.name, is_n ? "_n" : "")})
        .summary(is_n ? "Draws random numbers, so many for each of the parameters."
                      : "Draws random numbers.")
        .inputs_by([](const P& p) {
          const auto parameters = p.parameters();
          return draw_inputs(static_cast<std::size_t>(
              std::count(parameters.begin(), parameters.end(), std::nullopt)));
        })
        .infer([is_n](const P& p, InferContext& c) {
          c.set_output_dtype(0, p.dtype.value_or(DType::kFloat32));
          infer_draw_shape(p.size, c, is_n);
        })
        .check(check_np_draw<P>)
        .translate(translate_np_draw<P>)
        .note(std::string(kSeedNote))
        .note("Parameters that make no distribution give NaN, or any number.");
  }
}

template <std::size_t... kIndices>
void add_np_draws(Registry& r, std::index_sequence<kIndices...> /*all*/) {
  (add_np_draw<kIndices>(r), ...);
}

struct BernoulliParam {
  std::optional<double> prob;
  std::optional<double> logit;
  bool is_logit = false;
  std::optional<Tuple> size;
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<BernoulliParam>& d) {
    d.field("prob", &BernoulliParam::prob).required().help("the chance of 1; None: see logit");
    d.field("logit", &BernoulliParam::logit)
        .required()
        .help("its logit; where both are None, an input says one of them");
    d.field("is_logit", &BernoulliParam::is_logit).required().help("which of them the input is");
    declare_size(d, &BernoulliParam::size);
    d.dtype("dtype", &BernoulliParam::dtype).help("None is float32");
    d.ignore({"ctx"});
  }
};

std::vector<AttrProblem> check_bernoulli(const BernoulliParam& p, const CheckContext& /*c*/) {
  if (!p.prob || (*p.prob >= 0 && *p.prob <= 1)) return {};
  return {{"prob", "expected a number from 0 to 1", ""}};
}

void translate_bernoulli(const BernoulliParam& p, Translation& t) {
  Builder& b = t.b;
  warn_of_draws(t);
  Value chance;
  bool is_logit = p.is_logit;
  if (p.prob || p.logit) {
    is_logit = !p.prob;
    chance = b.scalar(DType::kFloat32, static_cast<float>(p.prob ? *p.prob : *p.logit));
  } else {
    chance = b.cast(t.input(0), DType::kFloat32);
  }
  if (is_logit) chance = b.unary("Sigmoid", chance);
  Draws draws(b, t.output_shape(0), DType::kFloat32);
  t.set_output(0, b.cast(b.binary("Less", draws.unit(), chance), t.output_type(0).dtype));
}

}  // namespace

void register_np_random(Registry& r) {
  add_np_draws(r, std::make_index_sequence<std::size(kDistributions)>());
  r.add<BernoulliParam>({"_npi_bernoulli"})
      .summary("Draws 1 with a given chance, else 0.")
      .inputs_by([](const BernoulliParam& p) { return draw_inputs(p.prob || p.logit ? 0 : 1); })
      .infer([](const BernoulliParam& p, InferContext& c) {
        c.set_output_dtype(0, p.dtype.value_or(DType::kFloat32));
        infer_draw_shape(p.size, c, false);
      })
      .check(check_bernoulli)
      .translate(translate_bernoulli)
      .note(std::string(kSeedNote));
}

}  // namespace mx2onnx
