// Random numbers of each of several distributions, whose parameters are inputs: _sample_*
// (src/operator/random/multisample_op.cc).
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/random/distributions.h"

namespace mx2onnx {
namespace {

using onnx::Value;

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
  if (c.output_shape(0).known_rank() && c.output_shape(0).rank() >= p.shape.size()) {
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
  translate_draws(t, D::draw, [&](DType drawn_in) {
    std::vector<Value> parameters;
    for (std::size_t i = 0; i < t.num_inputs(); ++i) {
      auto dims = t.input_shape(i).dims();
      dims.insert(dims.end(), p.shape.size(), Dim(1));
      const Value values = onnx::reshape(t.b, t.input(i), Shape(std::move(dims)));
      parameters.push_back(t.b.cast(values, drawn_in));
    }
    return parameters;
  });
}

template <typename D>
void add_samples(Registry& r) {
  const std::string name(D::kName);
  std::vector<InputDef> inputs;
  for (const auto input : D::kInputs) inputs.push_back({std::string(input), InputRole::kData});
  std::vector<std::string> names{"_sample_" + name, "sample_" + name};
  if (name == "poisson") names.emplace_back("_npx_tensor_poisson");
  r.add<SampleParam>(names)
      .summary("Draws random numbers of each of several distributions.")
      .inputs(inputs)
      .infer(infer_sample)
      .translate(translate_sample<D>)
      .note(std::string(kSeedNote))
      .note("Parameters that make no distribution give NaN, or any number.");
}

}  // namespace

void register_sample(Registry& r) {
  for_each_distribution([&](auto distribution) { add_samples<decltype(distribution)>(r); });
}

}  // namespace mx2onnx
