// Pooling (src/operator/nn/pooling.cc): max, avg, sum and lp in one, two and three dimensions,
// under the conventions valid (sizes rounded down), full (rounded up) and same. How it is written
// in ONNX is in expressions/pooling.cc.
#include "ops/nn/pool.h"

#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

using onnx::Value;

void infer_pool(const PoolingParam& p, InferContext& c) {
  c.unify_dtypes();
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, pooled_shape(p, c));
}

void translate_pool(const PoolingParam& p, Translation& t) {
  const Value x = to_channels_first(t.b, t.input(0), p.layout);
  t.set_output(0, from_channels_first(t.b, pool_channels_first(p, t.b, x), p.layout));
}

std::vector<AttrProblem> check_pool(const PoolingParam& p, const CheckContext& /*context*/) {
  return check_pooling(p);
}

}  // namespace

void register_pool(Registry& r) {
  r.add<PoolingParam>({"Pooling", "_npx_pooling"})
      .summary("Max, average, sum or Lp pooling in one, two or three dimensions.")
      .infer(infer_pool)
      .translate(translate_pool)
      .check(check_pool)
      .note(
          "Max pooling passes NaN over in MXNet, and of a window in which there is nothing else "
          "gives the least number of the dtype; what ONNX Runtime makes of a window with NaN in it "
          "depends on its place.")
      .note(
          "With pooling_convention=full a window may begin behind the padded input (where the "
          "stride "
          "is larger than the kernel): its average is 0 here; MXNet's kernel without oneDNN "
          "divides "
          "0 by 0.")
      .variant<OldPoolingParam>(OriginRange::until(0, 7),
                                "the number of windows is rounded up, and padding counts as zeros",
                                [](OpDeclarer<OldPoolingParam>& variant) {
                                  variant.infer(infer_pool_v1)
                                      .translate(translate_pool_v1)
                                      .check(check_pool_v1)
                                      .note(kPoolV1NanNote);
                                });
}

}  // namespace mx2onnx
