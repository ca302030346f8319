// _contrib_count_sketch: sums of elements at places that hashes say
// (src/operator/contrib/count_sketch-inl.h).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct CountSketchParam {
  std::int64_t out_dim = 1;

  static void declare(AttrDeclarer<CountSketchParam>& d) {
    d.field("out_dim", &CountSketchParam::out_dim)
        .required()
        .at_least(1)
        .at_most(1 << 30)
        .help("size of the sketch");
    d.ignore({"processing_batch_size"});
  }
};

void infer_count_sketch(const CountSketchParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  if (shape.rank() != 2 && shape.rank() != 4) c.fail_input(0, "2 or 4 dimensions");
  for (std::size_t i = 1; i <= 2; ++i) c.set_input_shape(i, Shape{1, shape[shape.rank() - 1]});
  shape[shape.rank() - 1] = p.out_dim;
  c.set_output_shape(0, shape);
}

// Element i is added, with the sign s[i], to element h[i].
void translate_count_sketch(const CountSketchParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Dim& size = t.input_shape(0).dims().back();
  const Value h = onnx::reshape(b, b.cast(t.input(1), DType::kInt64), Shape{size, 1});
  const Value is_target = b.binary("Equal", h, counting(b, p.out_dim));
  const Value signs = onnx::reshape(b, t.input(2), Shape{size, 1});
  const Value matrix = b.where(is_target, signs, b.scalar(b.dtype(signs), 0));
  t.set_output(0, b.emit("MatMul", {t.input(0), matrix}, {}, t.output_type(0)));
}

}  // namespace

void register_count_sketch(Registry& r) {
  r.add<CountSketchParam>({"_contrib_count_sketch"})
      .summary("Sums of the elements that h sends to one place, with signs s.")
      .inputs({{"data", InputRole::kData}, {"h", InputRole::kData}, {"s", InputRole::kData}})
      .infer(infer_count_sketch)
      .translate(translate_count_sketch)
      .note(std::string(kGpuOnlyNote));
}

}  // namespace mx2onnx
