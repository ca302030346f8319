// Arrays of random numbers with parameters as attributes: _random_* and _random_*_like
// (src/operator/random/sample_op.cc).
#include "ops/expressions/common.h"
#include "ops/random/distributions.h"

namespace mx2onnx {
namespace {

using onnx::Value;

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

template <typename D>
struct RandomParam : LikeParam<D> {
  std::optional<Tuple> shape;
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<RandomParam>& d) {
    LikeParam<D>::declare_parameters(d);
    d.field("shape", &RandomParam::shape).at_least(-1).help("of the array; unknown sizes are 0");
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
  translate_draws(t, D::draw, [&](DType drawn_in) {
    // MXNet has the parameters as float32.
    return std::vector<Value>{t.b.scalar(drawn_in, static_cast<float>(p.first)),
                              t.b.scalar(drawn_in, static_cast<float>(p.second))};
  });
}

template <typename D>
void add_distribution(Registry& r) {
  const std::string name(D::kName);
  const std::string note(kSeedNote);
  std::vector<std::string> names{"_random_" + name, "random_" + name};
  if (name == "uniform" || name == "normal") names.push_back(name);
  if (name == "poisson") names.emplace_back("_npx_scalar_poisson");
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
  if (name == "binomial") return;  // MXNet has no _random_binomial_like.
  r.add<LikeParam<D>>({"_random_" + name + "_like"})
      .summary("Draws random numbers, as many as the input has.")
      .infer(infer_same<LikeParam<D>>)
      .check(check_parameters<D, LikeParam<D>>)
      .note(note)
      .translate(translate_random<D, LikeParam<D>>);
}

}  // namespace

void register_random(Registry& r) {
  for_each_distribution([&](auto distribution) { add_distribution<decltype(distribution)>(r); });
}

}  // namespace mx2onnx
