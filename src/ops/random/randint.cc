// Whole random numbers: _random_randint (src/operator/random/sample_op.cc).
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/random/distributions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct RandintParam {
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::optional<Tuple> shape;
  std::optional<DType> dtype;

  static void declare(AttrDeclarer<RandintParam>& d) {
    // Of 64 bits in MXNet, too.
    constexpr double kMost = 0x1p63;
    d.field("low", &RandintParam::low)
        .required()
        .at_least(-kMost)
        .at_most(kMost)
        .help("the least number");
    d.field("high", &RandintParam::high)
        .required()
        .at_least(-kMost)
        .at_most(kMost)
        .help("one more than the largest");
    d.field("shape", &RandintParam::shape).at_least(-1).help("of the array; unknown sizes are 0");
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
    return refuse_draws(t, dtype);
  }
  warn_of_draws(t);
  Draws draws(b, t.output_shape(0), DType::kFloat64);
  const Value range =
      b.scalar(DType::kFloat64, static_cast<double>(p.high) - static_cast<double>(p.low));
  const Value drawn = b.cast(b.unary("Floor", b.mul(draws.unit(), range)), DType::kInt64);
  t.set_output(0, b.cast(b.add(drawn, b.int_scalar(p.low)), dtype));
}

}  // namespace

void register_randint(Registry& r) {
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
}

}  // namespace mx2onnx
