// khatri_rao: Kronecker's product, column by column (src/operator/contrib/krprod.h).
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/numbered.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct KhatriRaoParam {
  std::int64_t num_args = 1;

  static void declare(AttrDeclarer<KhatriRaoParam>& d) {
    d.field("num_args", &KhatriRaoParam::num_args)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of matrices");
  }
};

void infer_khatri_rao(const KhatriRaoParam& p, InferContext& c) {
  check_num_inputs(c, "num_args", p.num_args);
  c.unify_dtypes();
  Dim rows = 1;
  Dim columns;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (!c.input_shape(i).known_rank()) return;
    c.set_input_shape(i, Shape{Dim(), columns});
    rows = rows * c.input_shape(i)[0];
    columns = c.input_shape(i)[1];
  }
  for (std::size_t i = 0; i < c.num_inputs(); ++i) c.set_input_shape(i, Shape{Dim(), columns});
  c.set_output_shape(0, Shape{rows, columns});
}

void translate_khatri_rao(const KhatriRaoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  Value product = t.input(0);
  for (std::size_t i = 1; i < t.num_inputs(); ++i) {
    const Value pairs =
        b.mul(onnx::unsqueeze(b, product, {1}), onnx::unsqueeze(b, t.input(i), {0}));
    const Shape& shape = b.shape(pairs);
    product = onnx::reshape(b, pairs, Shape{shape[0] * shape[1], shape[2]});
  }
  t.set_output(0, product);
}

}  // namespace

void register_khatri_rao(Registry& r) {
  r.add<KhatriRaoParam>({"khatri_rao"})
      .summary("Kronecker's product of each column of matrices.")
      .inputs_by([](const KhatriRaoParam& p) { return numbered_inputs("arg", p.num_args); })
      .infer(infer_khatri_rao)
      .translate(translate_khatri_rao);
}

}  // namespace mx2onnx
