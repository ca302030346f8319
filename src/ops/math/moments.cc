// moments: mean and variance over axes (src/operator/nn/moments.cc).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;
using reduction::mean;

struct MomentsParam : ReduceAxes {
  static void declare(AttrDeclarer<MomentsParam>& d) {
    d.field("axes", &MomentsParam::axis).required().sizes(1, 32).help("axes to reduce");
    d.field("keepdims", &MomentsParam::keepdims).help("reduced axes stay, with size 1");
  }
};

std::vector<AttrProblem> check_moments(const MomentsParam& p, const CheckContext& /*context*/) {
  if (p.axis) return {};
  return {{"axes", "expected a tuple of axes, got None", ""}};
}

void infer_moments(const MomentsParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  c.set_output_shape(0, p.result(c.input_shape(0)));
  c.set_output_shape(1, p.result(c.input_shape(0)));
}

void translate_moments(const MomentsParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  if (b.dtype(x) == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  ReduceAxes kept = p;
  kept.keepdims = true;
  const Value center = mean(b, x, kept);
  const Ints reduced = p.of(t.input_rank(0));
  const bool to_one = reduced.size() == t.input_rank(0);
  if (p.keepdims) {
    t.set_output(0, center);
  } else {
    t.set_output(0,
                 to_one ? onnx::reshape(b, center, Shape{1}) : onnx::squeeze(b, center, reduced));
  }
  if (!t.output_used(1)) return;
  const Value deviation = binary::kSubtract.emit(b, x, center);
  t.set_output(1, mean(b, square(b, deviation), p));
}

}  // namespace

void register_moments(Registry& r) {
  r.add<MomentsParam>({"moments"})
      .summary("Mean and variance over axes.")
      .outputs({"output0", "output1"})
      .infer(infer_moments)
      .translate(translate_moments)
      .check(check_moments)
      .note(std::string(kMeanNote))
      .note(std::string(kHalfSumNote));
}

}  // namespace mx2onnx
