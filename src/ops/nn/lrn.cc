// Local response normalisation, across channels (src/operator/nn/lrn-inl.h). On a CPU MXNet
// computes it by oneDNN, in float32.
#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct LrnParam {
  double alpha = 1e-4;
  double beta = 0.75;
  double knorm = 2;
  std::int64_t nsize = 0;

  static void declare(AttrDeclarer<LrnParam>& d) {
    d.field("alpha", &LrnParam::alpha).help("scale of the mean square");
    d.field("beta", &LrnParam::beta).help("exponent");
    d.field("knorm", &LrnParam::knorm).help("added to the scaled mean square");
    d.field("nsize", &LrnParam::nsize).required().at_least(1).help("channels in the window");
  }
};

// For what ONNX Runtime's LRN does not take.
Value composed_lrn(Builder& b, Value x, const LrnParam& p, double alpha, std::int64_t size) {
  const std::int64_t half = size / 2;
  const Value squares = b.transpose(b.mul(x, x), {0, 2, 1, 3});
  const Value mean = b.emit("AveragePool", {squares},
                            {{"kernel_shape", Tuple{size, 1}},
                             {"pads", Tuple{half, 0, half, 0}},
                             {"count_include_pad", 1}},
                            b.type(squares));
  const Value scaled = b.mul(b.transpose(mean, {0, 2, 1, 3}), b.scalar(b.dtype(x), alpha));
  const Value norm = b.add(scaled, b.scalar(b.dtype(x), p.knorm));
  return b.mul(x, b.binary("Pow", norm, b.scalar(b.dtype(x), -p.beta)));
}

void translate_lrn(const LrnParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& shape = t.input_shape(0);
  // MXNet (oneDNN) takes two dimensions as well, and no other number.
  if (shape.rank() != 2 && shape.rank() != 4) {
    fail(ErrorCode::kModel, "expected data of 2 or 4 dimensions");
  }
  if (p.beta == 0) return t.set_output(0, b.identity(t.input(0)));
  if (p.alpha == 0) {
    const Value factor = b.scalar(t.input_type(0).dtype, std::pow(p.knorm, -p.beta));
    return t.set_output(0, b.mul(t.input(0), factor));
  }
  // For an even size MXNet (oneDNN) takes the window of the odd size below it, and divides by the
  // even one.
  const bool even = p.nsize % 2 == 0;
  const std::int64_t size = even ? p.nsize - 1 : p.nsize;
  const double alpha = p.alpha * static_cast<double>(size) / static_cast<double>(p.nsize);
  const Value x =
      onnx::reshape(b, t.input(0), shape.rank() == 4 ? shape : Shape{shape[0], shape[1], 1, 1});
  // ONNX Runtime's kernel takes both above 0 only, as the floats that they become.
  const bool has_kernel = static_cast<float>(alpha) > 0 && static_cast<float>(p.beta) > 0;
  const Value result =
      !has_kernel ? composed_lrn(b, x, p, alpha, size)
                  : b.emit("LRN", {x},
                           {{"alpha", alpha}, {"beta", p.beta}, {"bias", p.knorm}, {"size", size}},
                           b.type(x));
  t.set_output(0, onnx::reshape(b, result, shape));
}

}  // namespace

void register_lrn(Registry& r) {
  r.add<LrnParam>({"LRN"})
      .summary("Local response normalisation across channels.")
      .infer(infer_same<LrnParam>)
      .translate(translate_lrn)
      .note(
          "ONNX Runtime spreads an element that is infinite or NaN to channels outside of its "
          "window, and so the rounding of one that is over a thousand times as large as the "
          "others: it adds each square at one end of its window and subtracts it at the other.");
}

}  // namespace mx2onnx
