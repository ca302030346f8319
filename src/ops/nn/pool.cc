// Pooling (src/operator/nn/pooling.cc): max, avg, sum and lp in one, two and three dimensions,
// under the conventions valid (sizes rounded down), full (rounded up) and same. How it is written
// in ONNX is in pool_windows.cc.
#include "ops/nn/pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "onnx/opset.h"
#include "ops/expressions/common.h"

namespace mx2onnx {

Dim PoolParam::windows(std::size_t i, const Dim& size) const {
  const Dim padded = padded_size(size, pad_at(i), kernel[i]);
  switch (pooling_convention) {
    case Convention::kValid:
      return strided_size(size, kernel[i], stride_at(i), pad_at(i));
    case Convention::kFull:
      return ceil_div(padded - kernel[i], stride_at(i)) + 1;
    case Convention::kSame:
      return ceil_div(padded, stride_at(i));
    case Convention::kInside:
      return floor_div(padded - std::max<std::int64_t>(kernel[i] - stride_at(i) + 1, 1),
                       stride_at(i)) +
             1;
  }
  return {};
}

namespace {

using onnx::Value;

void infer_pool(const PoolingParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape data = to_channels_first(c.input_shape(0), p.layout);
  if (!data.known_rank()) return;
  const bool rank_fits =
      p.global_pool ? data.rank() >= 3 && data.rank() <= 5 : data.rank() == p.rank() + 2;
  if (!rank_fits) {
    c.fail_input(0, p.global_pool
                        ? std::string("3 to 5 dimensions")
                        : fmt::format("{} dimensions for a kernel of {}", p.rank() + 2, p.rank()));
  }
  Shape result = data;
  for (std::size_t i = 0; i + 2 < data.rank(); ++i) {
    result[i + 2] = p.global_pool ? Dim(1) : p.windows(i, data[i + 2]);
  }
  c.set_output_shape(0, from_channels_first(result, p.layout));
}

void translate_pool(const PoolingParam& p, Translation& t) {
  const Value x = to_channels_first(t.b, t.input(0), p.layout);
  t.set_output(0, from_channels_first(t.b, pool_channels_first(p, t.b, x), p.layout));
}

std::vector<AttrProblem> check_pool(const PoolingParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  if (!p.global_pool && !p.kernel.empty()) problems = check_layout(p.layout, p.rank());
  if (!p.global_pool && p.kernel.empty()) {
    problems.push_back({"kernel", "expected a tuple of 1 to 3 integers, found nothing", ""});
  }
  if (p.pool_type == PoolingParam::Type::kLp && !p.p_value) {
    problems.push_back({"p_value", "expected 1, 2 or 3 for lp pooling, found nothing", ""});
  }
  // MXNet 1.9.1 wants three pads for the convention `same` in one dimension.
  const bool same_1d = p.pooling_convention == PoolingParam::Convention::kSame && p.rank() == 1;
  if (!p.global_pool && !same_1d) {
    check_elements("stride", p.stride, p.rank(), problems);
    check_elements("pad", p.pad, p.rank(), problems);
  }
  if (p.pooling_convention == PoolingParam::Convention::kSame && !p.global_pool &&
      (p.rank() != 1 ||
       std::any_of(p.pad.begin(), p.pad.end(), [](auto pad) { return pad != 0; }))) {
    problems.push_back(
        {"pooling_convention", "MXNet has same only in one dimension and without pad", ""});
  }
  return problems;
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
