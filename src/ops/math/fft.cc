// Fourier transforms: _contrib_fft and _contrib_ifft (src/operator/contrib/fft-inl.h, ifft-inl.h).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct FftParam {
  static void declare(AttrDeclarer<FftParam>& d) { d.ignore({"compute_size"}); }
};

void infer_fft(InferContext& c, bool inverse) {
  c.unify_dtypes();
  Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  if (shape.rank() != 2 && shape.rank() != 4) c.fail_input(0, "2 or 4 dimensions");
  Dim& last = shape[shape.rank() - 1];
  if (inverse && last.is_constant() && last.value() % 2 != 0) {
    c.fail_input(0, "a last size of pairs");
  }
  last = inverse ? floor_div(last, 2) : last * 2;
  c.set_output_shape(0, shape);
}

// Complex numbers are two elements, the real part and the imaginary one.
void translate_fft(Translation& t, bool inverse) {
  Builder& b = t.b;
  if (t.input_type(0).dtype != DType::kFloat32) {
    return t.refuse("MXNet computes this on float32 only");
  }
  const Shape& from = t.input_shape(0);
  const std::size_t rank = from.rank();
  const Dim& length = (inverse ? t.output_shape(0) : from)[rank - 1];
  const Dim rows = from.count(0, rank - 1);
  const Value x = onnx::reshape(b, t.input(0), Shape{rows, length, inverse ? 2 : 1});
  Value y = onnx::dft(b, x, inverse);
  if (inverse) {
    // MXNet keeps the real part, and does not divide by the length as ONNX does.
    y = onnx::slice(b, y, {{2, 0, 1}}, Shape{rows, length, 1});
    y = b.mul(y, b.cast(onnx::size_tensor(b, length), DType::kFloat32));
  }
  t.set_output(0, onnx::reshape(b, y, t.output_shape(0)));
}

std::vector<AttrProblem> check_fft(const FftParam& /*p*/, const CheckContext& c) {
  if (onnx::has_dft(c.opset)) return {};
  return {{"compute_size", "needs ONNX's DFT", "ask for --opset 17 or newer"}};
}

}  // namespace

void register_fft(Registry& r) {
  for (const bool inverse : {false, true}) {
    r.add<FftParam>({inverse ? "_contrib_ifft" : "_contrib_fft"})
        .summary(inverse ? "The real part of the inverse Fourier transform, not divided by n."
                         : "The Fourier transform of real rows, parts interleaved.")
        .infer([inverse](const FftParam&, InferContext& c) { infer_fft(c, inverse); })
        .translate([inverse](const FftParam&, Translation& t) { translate_fft(t, inverse); })
        .check(check_fft)
        .note("From opset 17 on.")
        .note(std::string(kGpuOnlyNote));
  }
}

}  // namespace mx2onnx
