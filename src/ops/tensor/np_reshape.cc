// Reshapes of NumPy's interface (src/operator/numpy/np_matrix_op.cc): _np_reshape, which has -1
// alone, and _npx_reshape with codes of its own.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "ops/expressions/common.h"
#include "ops/expressions/reshape_codes.h"
#include "ops/expressions/reshaping.h"

namespace mx2onnx {
namespace {

constexpr std::int64_t kInfer = -1;

struct NpReshapeParam {
  Tuple newshape;

  static void declare(AttrDeclarer<NpReshapeParam>& d) {
    d.field("newshape", &NpReshapeParam::newshape)
        .required()
        .at_least(kInfer)
        .help("-1 is what is left; 0 is a size");
    // MXNet looks at rows first whatever it says.
    d.ignore({"order"});
  }
};

void infer_np_reshape(const NpReshapeParam& p, InferContext& c) {
  c.unify_dtypes();
  std::vector<Dim> to(p.newshape.begin(), p.newshape.end());
  const auto inferred = std::find(p.newshape.begin(), p.newshape.end(), kInfer);
  const auto at = static_cast<std::size_t>(inferred - p.newshape.begin());
  const Shape from = c.input_shape(0);
  if (inferred != p.newshape.end()) {
    if (std::count(p.newshape.begin(), p.newshape.end(), kInfer) > 1) {
      fail_newshape(p.newshape, from, "only one -1 is allowed");
    }
    to[at] = 1;
    to[at] = from.known_rank() ? what_is_left(p.newshape, from, to) : Dim();
  }
  c.set_output_shape(0, Shape(std::move(to)));
  if (!from.known_rank()) return;
  infer_from_count(c, from, c.output_shape(0).count());
  expect_same_count(c);
  keep_value(c);
}

template <typename P>
void translate_reshape(const P& /*p*/, Translation& t) {
  to_output_shape(t);
}

void infer_npx_reshape(const NpxReshapeParam& p, InferContext& c) {
  c.unify_dtypes();
  infer_reshaped(p, c);
}

}  // namespace

void register_np_reshape(Registry& r) {
  r.add<NpReshapeParam>({"_np_reshape"})
      .summary("The same elements in another shape.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_np_reshape)
      .translate(translate_reshape<NpReshapeParam>);
  r.add<NpxReshapeParam>({"_npx_reshape", "_npi_reshape"})
      .summary("The same elements in another shape, with codes for sizes that are kept or merged.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_npx_reshape)
      .translate(translate_reshape<NpxReshapeParam>);
}

}  // namespace mx2onnx
