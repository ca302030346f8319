// Different classes of a log-uniform distribution: _sample_unique_zipfian
// (src/operator/random/unique_sample_op.h).
#include <algorithm>
#include <cmath>

#include "base/budget.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/random_draws.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

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
  spend_elements(p.range_max);
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

void register_zipfian(Registry& r) {
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
