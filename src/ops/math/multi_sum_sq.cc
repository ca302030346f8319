// multi_sum_sq: the sums of the squares of arrays (src/operator/contrib/multi_sum_sq-inl.h).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/numbered.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct MultiSumSqParam {
  std::int64_t num_arrays = 1;

  static void declare(AttrDeclarer<MultiSumSqParam>& d) {
    d.field("num_arrays", &MultiSumSqParam::num_arrays)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of arrays");
  }
};

void infer_multi_sum_sq(const MultiSumSqParam& p, InferContext& c) {
  check_num_inputs(c, "num_arrays", p.num_arrays);
  c.unify_dtypes(0, c.num_outputs());
  c.set_output_dtype(0, DType::kFloat32);
  c.set_output_shape(0, Shape{p.num_arrays});
}

// In float16 MXNet 1.x rounds the squares to float16, and sums in float32.
void sum_squares(Translation& t, bool rounds_squares) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (!expect_floating(t)) return;
  const bool widened = dtype == DType::kFloat16 && !rounds_squares;
  const Stepwise steps(b, widened ? DType::kFloat32 : dtype);
  std::vector<Value> sums;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const Value array = steps.take(t.input(i));
    const Value squares = steps.mul(array, array);
    const Value flat = onnx::reshape(b, squares, Shape{b.shape(squares).count()});
    sums.push_back(b.cast(onnx::reduce(b, "ReduceSum", flat, {0}, true), DType::kFloat32));
  }
  t.set_output(0, b.concat(sums, 0));
}

}  // namespace

void register_multi_sum_sq(Registry& r) {
  r.add<MultiSumSqParam>({"multi_sum_sq"})
      .summary("The sum of the squares of each of the arrays.")
      .inputs_by([](const MultiSumSqParam& p) { return numbered_inputs("array_", p.num_arrays); })
      .infer(infer_multi_sum_sq)
      .translate([](const MultiSumSqParam&, Translation& t) { sum_squares(t, true); })
      .variant(OriginRange::since(2, 0), "squares of float16 are float32, not rounded",
               [](OpDeclarer<MultiSumSqParam>& variant) {
                 variant.translate(
                     [](const MultiSumSqParam&, Translation& t) { sum_squares(t, false); });
               });
}

}  // namespace mx2onnx
