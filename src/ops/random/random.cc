// Random numbers (src/operator/random/*): _random_*, _random_*_like, _sample_*, multinomial draws,
// shuffling.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/matrices.h"
#include "ops/expressions/random_draws.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

/// One distribution: its parameters as attributes, and how it is drawn.
struct Uniform {
  static constexpr std::string_view kName = "uniform";
  static constexpr std::array<std::string_view, 2> kAttrs = {"low", "high"};
  static constexpr std::array<std::string_view, 2> kInputs = {"low", "high"};
  static constexpr std::array<double, 2> kDefaults = {0, 1};
  static bool allows(double low, double high) { return low <= high; }
  static Value draw(Draws& d, const std::vector<Value>& p) { return d.uniform(p[0], p[1]); }
};
struct Normal {
  static constexpr std::string_view kName = "normal";
  static constexpr std::array<std::string_view, 2> kAttrs = {"loc", "scale"};
  static constexpr std::array<std::string_view, 2> kInputs = {"mu", "sigma"};
  static constexpr std::array<double, 2> kDefaults = {0, 1};
  static bool allows(double /*mean*/, double deviation) { return deviation > 0; }
  static Value draw(Draws& d, const std::vector<Value>& p) { return d.normal(p[0], p[1]); }
};
struct Gamma {
  static constexpr std::string_view kName = "gamma";
  static constexpr std::array<std::string_view, 2> kAttrs = {"alpha", "beta"};
  static constexpr std::array<std::string_view, 2> kInputs = {"alpha", "beta"};
  static constexpr std::array<double, 2> kDefaults = {1, 1};
  static bool allows(double alpha, double scale) { return alpha > 0 && scale > 0; }
  static Value draw(Draws& d, const std::vector<Value>& p) { return d.gamma(p[0], p[1]); }
};
struct Exponential {
  static constexpr std::string_view kName = "exponential";
  static constexpr std::array<std::string_view, 1> kAttrs = {"lam"};
  static constexpr std::array<std::string_view, 1> kInputs = {"lam"};
  static constexpr std::array<double, 2> kDefaults = {1, 0};
  static bool allows(double rate, double /*none*/) { return rate > 0; }
  static Value draw(Draws& d, const std::vector<Value>& p) { return d.exponential(p[0]); }
};
struct Poisson {
  static constexpr std::string_view kName = "poisson";
  static constexpr std::array<std::string_view, 1> kAttrs = {"lam"};
  static constexpr std::array<std::string_view, 1> kInputs = {"lam"};
  static constexpr std::array<double, 2> kDefaults = {1, 0};
  static bool allows(double rate, double /*none*/) { return rate >= 0; }
  static Value draw(Draws& d, const std::vector<Value>& p) { return d.poisson(p[0]); }
};
struct NegativeBinomial {
  static constexpr std::string_view kName = "negative_binomial";
  static constexpr std::array<std::string_view, 2> kAttrs = {"k", "p"};
  static constexpr std::array<std::string_view, 2> kInputs = {"k", "p"};
  static constexpr std::array<double, 2> kDefaults = {1, 1};
  static bool allows(double limit, double chance) {
    return limit >= 0 && chance > 0 && chance <= 1;
  }
  static Value draw(Draws& d, const std::vector<Value>& p) {
    return d.negative_binomial(p[0], p[1]);
  }
};
struct GeneralizedNegativeBinomial {
  static constexpr std::string_view kName = "generalized_negative_binomial";
  static constexpr std::array<std::string_view, 2> kAttrs = {"mu", "alpha"};
  static constexpr std::array<std::string_view, 2> kInputs = {"mu", "alpha"};
  static constexpr std::array<double, 2> kDefaults = {1, 1};
  static bool allows(double mean, double dispersion) { return mean >= 0 && dispersion >= 0; }
  static Value draw(Draws& d, const std::vector<Value>& p) {
    return d.generalized_negative_binomial(p[0], p[1]);
  }
};

template <typename D>
struct LikeParam {
  double first = D::kDefaults[0];
  double second = D::kDefaults[1];

  static void declare(AttrDeclarer<LikeParam>& d) { declare_parameters(d); }
  template <typename P>
  static void declare_parameters(AttrDeclarer<P>& d) {
    d.field(std::string(D::kAttrs.front()), &P::first).help("parameter of the distribution");
    if constexpr (D::kAttrs.size() == 2) {
      d.field(std::string(D::kAttrs.back()), &P::second).help("parameter of the distribution");
    }
  }
};

constexpr std::string_view kShapeHelp = "of the array; unknown sizes are 0";

template <typename D>
struct RandomParam : LikeParam<D> {
  std::optional<Tuple> shape;
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<RandomParam>& d) {
    LikeParam<D>::declare_parameters(d);
    d.field("shape", &RandomParam::shape).at_least(-1).help(std::string(kShapeHelp));
    d.dtype("dtype", &RandomParam::dtype).help("float16, float32 or float64; None is float32");
    d.ignore({"ctx"});
  }
};

template <typename D, typename P>
std::vector<AttrProblem> check_parameters(const P& p, const CheckContext& /*c*/) {
  if (D::allows(p.first, p.second)) return {};
  return {{std::string(D::kAttrs.back()), "makes a distribution that does not exist", ""}};
}

template <typename D, typename P>
void translate_random(const P& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (!is_floating(dtype)) {
    return t.refuse(fmt::format("MXNet does not draw {}", dtype_name(dtype)));
  }
  warn_of_draws(t);
  const DType drawn_in = draw_dtype(dtype);
  // MXNet has the parameters as float32.
  std::vector<Value> parameters;
  for (const double value : {p.first, p.second}) {
    parameters.push_back(b.scalar(drawn_in, static_cast<float>(value)));
  }
  Draws draws(b, t.output_shape(0), drawn_in);
  t.set_output(0, b.cast(D::draw(draws, parameters), dtype));
}

struct SampleParam {
  Tuple shape;
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<SampleParam>& d) {
    d.field("shape", &SampleParam::shape).at_least(1).help("drawn of each distribution");
    d.dtype("dtype", &SampleParam::dtype).help("float16, float32 or float64; None is float32");
  }
};

void infer_sample(const SampleParam& p, InferContext& c) {
  c.unify_dtypes(0, c.num_outputs());
  c.set_output_dtype(0, p.dtype.value_or(DType::kFloat32));
  if (c.output_shape(0).rank() >= p.shape.size() && c.output_shape(0).known_rank()) {
    auto dims = c.output_shape(0).dims();
    dims.resize(dims.size() - p.shape.size());
    c.set_input_shape(0, Shape(std::move(dims)));
  }
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    c.set_input_shape(0, c.input_shape(i));
    c.set_input_shape(i, c.input_shape(0));
  }
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  for (const auto size : p.shape) dims.emplace_back(size);
  c.set_output_shape(0, Shape(std::move(dims)));
}

template <typename D>
void translate_sample(const SampleParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (!is_floating(dtype)) {
    return t.refuse(fmt::format("MXNet does not draw {}", dtype_name(dtype)));
  }
  warn_of_draws(t);
  const DType drawn_in = draw_dtype(dtype);
  std::vector<Value> parameters;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    auto dims = t.input_shape(i).dims();
    dims.insert(dims.end(), p.shape.size(), Dim(1));
    parameters.push_back(b.cast(onnx::reshape(b, t.input(i), Shape(std::move(dims))), drawn_in));
  }
  Draws draws(b, t.output_shape(0), drawn_in);
  t.set_output(0, b.cast(D::draw(draws, parameters), dtype));
}

template <typename D>
void add_distribution(Registry& r) {
  const std::string name(D::kName);
  const std::string note(kSeedNote);
  std::vector<std::string> names{"_random_" + name, "random_" + name};
  if (name == "uniform" || name == "normal") names.push_back(name);
  r.add<RandomParam<D>>(names)
      .summary("Draws an array of random numbers.")
      .inputs({})
      .infer([](const RandomParam<D>& p, InferContext& c) {
        c.set_output_dtype(0, p.dtype.value_or(DType::kFloat32));
        c.set_output_shape(0, declared_shape(p.shape, c.np_shape()));
      })
      .check(check_parameters<D, RandomParam<D>>)
      .note(note)
      .translate(translate_random<D, RandomParam<D>>);
  r.add<LikeParam<D>>({"_random_" + name + "_like"})
      .summary("Draws random numbers, as many as the input has.")
      .infer(infer_same<LikeParam<D>>)
      .check(check_parameters<D, LikeParam<D>>)
      .note(note)
      .translate(translate_random<D, LikeParam<D>>);
  std::vector<InputDef> inputs;
  for (const auto input : D::kInputs) inputs.push_back({std::string(input), InputRole::kData});
  r.add<SampleParam>({"_sample_" + name, "sample_" + name})
      .summary("Draws random numbers of each of several distributions.")
      .inputs(inputs)
      .infer(infer_sample)
      .translate(translate_sample<D>)
      .note(note)
      .note("Parameters that make no distribution give NaN, or any number.");
}

struct RandintParam {
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::optional<Tuple> shape;
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<RandintParam>& d) {
    d.field("low", &RandintParam::low).required().help("the least number");
    d.field("high", &RandintParam::high).required().help("one more than the largest");
    d.field("shape", &RandintParam::shape).at_least(-1).help(std::string(kShapeHelp));
    d.dtype("dtype", &RandintParam::dtype).help("int32 or int64; None is int32");
    d.ignore({"ctx"});
  }
};

// More than that do not fit the draws of 53 bits evenly.
constexpr double kMostRange = 1099511627776.0;  // 2^40

std::vector<AttrProblem> check_randint(const RandintParam& p, const CheckContext& /*c*/) {
  const double range = static_cast<double>(p.high) - static_cast<double>(p.low);
  if (range < 1) return {{"high", "expected more than low", ""}};
  if (range > kMostRange) return {{"high", "expected at most 2^40 more than low", ""}};
  return {};
}

void translate_randint(const RandintParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (dtype != DType::kInt32 && dtype != DType::kInt64) {
    return t.refuse(fmt::format("MXNet does not draw {}", dtype_name(dtype)));
  }
  warn_of_draws(t);
  Draws draws(b, t.output_shape(0), DType::kFloat64);
  const Value range = b.scalar(DType::kFloat64, static_cast<double>(p.high - p.low));
  const Value drawn = b.cast(b.unary("Floor", b.mul(draws.unit(), range)), DType::kInt64);
  t.set_output(0, b.cast(b.add(drawn, b.int_scalar(p.low)), dtype));
}

struct MultinomialParam {
  Tuple shape;
  bool get_prob = false;
  DType dtype = DType::kInt32;

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
  for (const auto size : p.shape) dims.emplace_back(size);
  if (dims.empty()) dims.emplace_back(1);
  for (std::size_t i = 0; i < c.num_outputs(); ++i) c.set_output_shape(i, Shape(dims));
}

// As many chances as, summed up from the first one, are less than what was drawn.
void translate_multinomial(const MultinomialParam& p, Translation& t) {
  if (t.input_type(0).dtype == DType::kFloat16) {
    return t.refuse("MXNet rounds its draws to float16 here", "cast to float32 in the model");
  }
  if (!expect_real(t)) return;
  Builder& b = t.b;
  warn_of_draws(t);
  const Value chances = t.input(0);
  const std::size_t rank = t.input_rank(0);
  const Dim& count = t.input_shape(0)[rank - 1];
  const Dim rows = t.input_shape(0).count(0, rank - 1);
  Dim each = 1;
  for (const auto size : p.shape) each = each * size;
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

// The first axis in the order of as many draws.
void translate_shuffle(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  if (t.input_rank(0) == 0) return t.refuse("MXNet does not shuffle scalars");
  warn_of_draws(t);
  const Dim& size = t.input_shape(0)[0];
  Draws draws(b, Shape{size}, DType::kFloat64);
  t.set_output(0, b.gather(t.input(0), onnx::top_k(b, draws.unit(), size, 0, true).second, 0));
}

struct ZipfianParam {
  std::int64_t range_max = 1;
  Tuple shape;

  static void declare(AttrDeclarer<ZipfianParam>& d) {
    d.field("range_max", &ZipfianParam::range_max)
        .required()
        .at_least(1)
        .at_most(1 << 20)
        .help("number of classes");
    d.field("shape", &ZipfianParam::shape)
        .required()
        .sizes(2, 2)
        .at_least(1)
        .help("batch, and how many classes are drawn");
  }
};

std::vector<AttrProblem> check_zipfian(const ZipfianParam& p, const CheckContext& /*c*/) {
  if (p.shape[1] <= p.range_max) return {};
  return {{"shape", "expected not more draws than classes", ""}};
}

// Class v is drawn where range_max^u rounds to v + 1. Drawing without replacement one after the
// other is taking the largest of log(chance) + Gumbel's noise.
void translate_zipfian(const ZipfianParam& p, Translation& t) {
  if (t.output_used(1)) return t.refuse("the number of tries is not known without MXNet's draws");
  Builder& b = t.b;
  warn_of_draws(t);
  std::vector<double> chances;
  const auto most = static_cast<double>(p.range_max);
  for (std::int64_t v = 0; v < p.range_max; ++v) {
    const double low = std::max(static_cast<double>(v) + 0.5, 1.0);
    const double high = std::min(static_cast<double>(v) + 1.5, most);
    chances.push_back(most == 1 ? 0 : std::log(std::log(high) - std::log(low)));
  }
  const Value logs = b.constant(make_tensor_as(DType::kFloat64, {p.range_max}, chances));
  Draws draws(b, Shape{p.shape[0], p.range_max}, DType::kFloat64);
  const Value one = b.scalar(DType::kFloat64, 1);
  const Value exponential = draws.exponential(one);
  const Value keys = b.sub(logs, b.unary("Log", exponential));
  t.set_output(0, onnx::top_k(b, keys, p.shape[1], 1, true).second);
}

}  // namespace

void register_random(Registry& r) {
  add_distribution<Uniform>(r);
  add_distribution<Normal>(r);
  add_distribution<Gamma>(r);
  add_distribution<Exponential>(r);
  add_distribution<Poisson>(r);
  add_distribution<NegativeBinomial>(r);
  add_distribution<GeneralizedNegativeBinomial>(r);
  r.add<RandintParam>({"_random_randint", "random_randint", "_npi_random_randint"})
      .summary("Draws whole numbers, all with one chance.")
      .inputs({})
      .infer([](const RandintParam& p, InferContext& c) {
        c.set_output_dtype(0, p.dtype.value_or(DType::kInt32));
        c.set_output_shape(0, declared_shape(p.shape, c.np_shape()));
      })
      .check(check_randint)
      .translate(translate_randint)
      .note(std::string(kSeedNote))
      .note("Ranges of up to 2^40 numbers.");
  r.add<MultinomialParam>({"_sample_multinomial", "sample_multinomial"})
      .summary("Draws positions with the given chances.")
      .outputs_by([](const MultinomialParam& p, std::size_t) {
        return p.get_prob ? std::vector<std::string>{"output0", "output1"}
                          : std::vector<std::string>{"output"};
      })
      .infer(infer_multinomial)
      .translate(translate_multinomial)
      .note(std::string(kSeedNote))
      .note("Float16 chances are refused: MXNet rounds its draws to them.");
  r.add<NoParam>({"_shuffle", "shuffle", "_npi_shuffle"})
      .summary("Brings the first axis into a random order.")
      .infer(infer_same<NoParam>)
      .translate(translate_shuffle)
      .note(std::string(kSeedNote));
  r.add<ZipfianParam>({"_sample_unique_zipfian"})
      .summary("Draws different classes of a log-uniform distribution.")
      .inputs({})
      .outputs({"output0", "output1"})
      .infer([](const ZipfianParam& p, InferContext& c) {
        for (std::size_t i = 0; i < 2; ++i) c.set_output_dtype(i, DType::kInt64);
        c.set_output_shape(0, Shape::of(p.shape));
        c.set_output_shape(1, Shape{p.shape[0]});
      })
      .check(check_zipfian)
      .translate(translate_zipfian)
      .note(std::string(kSeedNote))
      .note("The second output, the number of tries, is refused; range_max up to 2^20.");
}

}  // namespace mx2onnx
