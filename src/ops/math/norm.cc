// norm: the sum of magnitudes, or the root of the sum of squares
// (src/operator/tensor/broadcast_reduce_norm_value.cc).
#include <fmt/format.h>

#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;
using reduction::reduce;
using reduction::reduce_bool;
using reduction::sum;

struct NormParam : ReduceAxes {
  std::int64_t ord = 2;
  std::optional<DType> out_dtype;

  static void declare(AttrDeclarer<NormParam>& d) {
    d.field("ord", &NormParam::ord).at_least(1).at_most(2).help("1 or 2");
    d.field("axis", &NormParam::axis).help("axes to reduce; None and () are all");
    d.dtype("out_dtype", &NormParam::out_dtype).help("of the result; None: that of the input");
    d.field("keepdims", &NormParam::keepdims).help("reduced axes stay, with size 1");
  }
};

void infer_norm(const NormParam& p, InferContext& c) {
  if (p.out_dtype) {
    c.set_output_dtype(0, *p.out_dtype);
  } else {
    c.unify_dtypes();
  }
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, p.result(c.input_shape(0)));
}

void translate_norm(const NormParam& p, Translation& t) {
  Builder& b = t.b;
  const DType out = t.output_type(0).dtype;
  Value x = t.input(0);
  const bool same_dtype = out == b.dtype(x);
  if (b.dtype(x) == DType::kBool && same_dtype) {
    return t.set_output(0, reduce_bool(b, "ReduceMax", x, p));
  }
  if (is_integer(b.dtype(x)) && same_dtype && p.ord == 2) {
    return t.set_output(0, reduction::norm_of_integers(b, x, p));
  }
  if (!is_floating(b.dtype(x)) && (p.ord == 2 || b.dtype(x) == DType::kBool)) {
    return t.refuse(fmt::format("MXNet's norm of {} in {} has no defined result",
                                dtype_name(b.dtype(x)), dtype_name(out)));
  }
  // A result in another dtype needs MXNET_SAFE_ACCUMULATION=1, which sums in the wider of both.
  if (is_floating(out) && dtype_size(out) > dtype_size(b.dtype(x))) x = b.cast(x, out);
  if (is_integer(b.dtype(x))) {
    return t.set_output(0, b.cast(sum(b, b.unary("Abs", x), p), out));
  }
  const bool unreduced = p.of(b.shape(x).rank()).empty();
  const std::string_view op_type = p.ord == 1 ? "ReduceL1" : "ReduceL2";
  const Value magnitudes = unreduced ? b.unary("Abs", x) : x;
  t.set_output(0, b.cast(reduce(b, op_type, magnitudes, p), out));
}

}  // namespace

void register_norm_over_axes(Registry& r) {
  r.add<NormParam>({"norm", "_sparse_norm", "_npx_norm"})
      .summary("The sum of magnitudes, or the root of the sum of squares, over axes.")
      .infer(infer_norm)
      .translate(translate_norm)
      .note(std::string(kHalfSumNote))
      .note(
          "On integers MXNet's norm of order 2 is the largest magnitude times the root of how "
          "often it occurs; where that is the magnitude of the least int8, int32 or int64 it is "
          "undefined.")
      .note(
          "Where one of the elements is infinite MXNet gives NaN at times, ONNX infinity; and of "
          "order 2 of float32 beyond 1e19, or of float64 beyond 1e154, ONNX's result is infinite, "
          "MXNet's is not.");
}

}  // namespace mx2onnx
