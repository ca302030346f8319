// Densities of distributions (src/operator/random/pdf_op.h), computed in float64: MXNet's float32
// formulas lose digits that these keep.
#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/special_functions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct PdfParam {
  bool is_log = false;

  static void declare(AttrDeclarer<PdfParam>& d) {
    d.field("is_log", &PdfParam::is_log).help("the logarithm of the density");
  }
};

Value number(Builder& b, double value) { return b.scalar(DType::kFloat64, value); }
Value log(Builder& b, Value x) { return b.unary("Log", x); }
Value minus_one(Builder& b, Value x) { return b.sub(x, number(b, 1)); }
Value plus_one(Builder& b, Value x) { return b.add(x, number(b, 1)); }

/// The logarithm of a density, and the density itself where that is not its exponential.
struct Density {
  Value log;
  Value plain = {};
};

// The samples and the parameters, broadcast to each other.
using Parameters = std::vector<Value>;

// MXNet does not look whether a sample lies between the bounds.
Density uniform(Builder& b, Value /*x*/, const Parameters& p) {
  const Value width = b.sub(p[1], p[0]);
  return {b.unary("Neg", log(b, width)), b.unary("Reciprocal", width)};
}

// MXNet's pi is a float32 number, for float64 too (mxnet_op.h).
constexpr float kPi = std::numbers::pi_v<float>;

Density normal(Builder& b, Value x, const Parameters& p) {
  const Value deviation = b.sub(x, p[0]);
  const Value square = b.mul(b.mul(deviation, number(b, -0.5)), deviation);
  const Value exponent = b.div(square, b.mul(p[1], p[1]));
  const Value scale = b.mul(p[1], number(b, std::sqrt(2.0 * kPi)));
  return {b.sub(exponent, log(b, scale)), b.div(b.unary("Exp", exponent), scale)};
}

Density gamma(Builder& b, Value x, const Parameters& p) {
  const Value powers = b.add(b.mul(p[0], log(b, p[1])), b.mul(minus_one(b, p[0]), log(b, x)));
  return {b.sub(b.sub(powers, b.mul(p[1], x)), log_gamma(b, p[0]))};
}

Density exponential(Builder& b, Value x, const Parameters& p) {
  const Value exponent = b.unary("Neg", b.mul(p[0], x));
  return {b.add(log(b, p[0]), exponent), b.mul(p[0], b.unary("Exp", exponent))};
}

Density poisson(Builder& b, Value x, const Parameters& p) {
  const Value power = b.mul(x, log(b, p[0]));
  return {b.sub(b.sub(power, log_gamma(b, plus_one(b, x))), p[0])};
}

Density negative_binomial(Builder& b, Value x, const Parameters& p) {
  const Value choices =
      b.sub(b.sub(log_gamma(b, b.add(x, p[0])), log_gamma(b, plus_one(b, x))), log_gamma(b, p[0]));
  const Value failures = b.mul(p[0], log(b, p[1]));
  const Value successes = b.mul(x, log(b, b.sub(number(b, 1), p[1])));
  return {b.add(b.add(choices, failures), successes)};
}

Density generalized_negative_binomial(Builder& b, Value x, const Parameters& p) {
  const Value limit = b.unary("Reciprocal", p[1]);
  const Value chance = b.unary("Reciprocal", plus_one(b, b.mul(p[0], p[1])));
  return negative_binomial(b, x, {limit, chance});
}

Density dirichlet(Builder& b, Value x, const Parameters& p) {
  const auto sum = [&](Value terms) { return onnx::reduce(b, "ReduceSum", terms, {-1}, false); };
  const Value powers = sum(b.mul(minus_one(b, p[0]), log(b, x)));
  const Value scale = b.sub(log_gamma(b, sum(p[0])), sum(log_gamma(b, p[0])));
  return {b.add(powers, scale)};
}

struct PdfRow {
  std::string name;
  std::vector<std::string> parameters;
  Density (*density)(Builder& b, Value x, const Parameters& p);
  bool of_vectors = false;
};

std::vector<PdfRow> pdf_rows() {
  return {{"uniform", {"low", "high"}, uniform},
          {"normal", {"mu", "sigma"}, normal},
          {"gamma", {"alpha", "beta"}, gamma},
          {"exponential", {"lam"}, exponential},
          {"poisson", {"lam"}, poisson},
          {"negative_binomial", {"k", "p"}, negative_binomial},
          {"generalized_negative_binomial", {"mu", "alpha"}, generalized_negative_binomial},
          {"dirichlet", {"alpha"}, dirichlet, true}};
}

// The parameters' shape is the first sizes of the samples' shape; of vectors, which are the last
// axis, the last size is that of the samples.
void infer_pdf(const PdfRow& row, InferContext& c) {
  c.unify_dtypes();
  const Shape sample = c.input_shape(0);
  for (std::size_t i = 1; i < c.num_inputs(); ++i) c.set_input_shape(i, c.input_shape(1));
  const Shape& parameter = c.input_shape(1);
  if (!sample.known_rank() || !parameter.known_rank()) return;
  const std::size_t rank = parameter.rank();
  if (rank == 0) c.fail_input(1, "1 dimension or more");
  if (sample.rank() < rank) c.fail_input(0, fmt::format("{} dimensions or more", rank));
  auto dims = sample.dims();
  dims.resize(rank);
  if (row.of_vectors) dims.back() = sample.dims().back();
  for (std::size_t i = 1; i < c.num_inputs(); ++i) c.set_input_shape(i, Shape(dims));
  auto result = sample.dims();
  if (row.of_vectors) result.pop_back();
  if (result.empty()) result.emplace_back(1);
  c.set_output_shape(0, Shape(std::move(result)));
}

void translate_pdf(const PdfRow& row, const PdfParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (!expect_floating(t)) return;
  const std::size_t rank = t.input_rank(0);
  Parameters parameters;
  for (std::size_t i = 1; i < t.num_inputs(); ++i) {
    auto dims = t.input_shape(i).dims();
    const auto end = row.of_vectors ? dims.end() - 1 : dims.end();
    dims.insert(end, rank - dims.size(), Dim(1));
    parameters.push_back(
        b.cast(onnx::reshape(b, t.input(i), Shape(std::move(dims))), DType::kFloat64));
  }
  const Density density = row.density(b, b.cast(t.input(0), DType::kFloat64), parameters);
  Value value = density.log;
  if (!p.is_log) value = density.plain.present() ? density.plain : b.unary("Exp", value);
  value = b.cast(value, dtype);
  if (row.of_vectors) return t.set_output(0, onnx::reshape(b, value, t.output_shape(0)));
  t.set_output(0, onnx::expand(b, value, t.output_shape(0)));
}

}  // namespace

void register_random_pdf(Registry& r) {
  for (const auto& row : pdf_rows()) {
    std::vector<InputDef> inputs{{"sample", InputRole::kData}};
    for (const auto& name : row.parameters) inputs.push_back({name, InputRole::kData});
    r.add<PdfParam>({"_random_pdf_" + row.name, "random_pdf_" + row.name})
        .summary("The density of samples.")
        .inputs(inputs)
        .infer([row](const PdfParam&, InferContext& c) { infer_pdf(row, c); })
        .translate([row](const PdfParam& p, Translation& t) { translate_pdf(row, p, t); })
        .note(
            "Computed in float64, which needs a runtime that has it; what overflows on the way in "
            "MXNet, to infinity or NaN, may not here.");
  }
}

}  // namespace mx2onnx
