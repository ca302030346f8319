// Pooling_v1, the pooling of MXNet 0.x (src/operator/pooling_v1-inl.h).
#include "ops/nn/pool_v1.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/spatial.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

std::vector<AttrProblem> check_pool_v1(const PoolV1Param& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  if (p.global_pool) return problems;
  const auto check = [&](std::string name, const Tuple& tuple, bool may_be_empty) {
    if (tuple.size() == 2 || (may_be_empty && tuple.empty())) return;
    problems.push_back(
        {std::move(name), fmt::format("expected 2 elements, got {}", tuple.size()), ""});
  };
  check("kernel", p.kernel, false);
  check("stride", p.stride, true);
  check("pad", p.pad, true);
  return problems;
}

namespace {

// Windows along an axis of the padded input.
Dim num_windows(const PoolV1Param& p, std::size_t i, const Dim& padded) {
  const std::int64_t kernel = p.kernel[i];
  const std::int64_t stride = p.strides()[i];
  switch (p.pooling_convention) {
    case PoolV1Param::Convention::kValid:
      return floor_div(padded - kernel, stride) + 1;
    case PoolV1Param::Convention::kFull:
      return ceil_div(padded - kernel, stride) + 1;
    case PoolV1Param::Convention::kInside:
      return floor_div(padded - std::max<std::int64_t>(kernel - stride + 1, 1), stride) + 1;
  }
  return {};
}

// The rows behind the padded input that a last window may hang over. A window that would be there
// for more of them alone does not exist.
Tuple overhang(const PoolV1Param& p) {
  Tuple over(2, 0);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t stride = p.strides()[i];
    if (p.pooling_convention == PoolV1Param::Convention::kFull) over[i] = stride - 1;
    if (p.pooling_convention == PoolV1Param::Convention::kInside)
      over[i] = std::min(stride, p.kernel[i]) - 1;
  }
  return over;
}

}  // namespace

void infer_pool_v1(const PoolV1Param& p, InferContext& c) {
  c.unify_dtypes();
  Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  if (shape.rank() != 4) c.fail_input(0, "4 dimensions");
  for (std::size_t i = 0; i < 2; ++i) {
    Dim& size = shape[i + 2];
    if (p.global_pool) {
      size = 1;
      continue;
    }
    const Dim padded = size + 2 * p.pads()[i];
    if (padded.is_constant() && padded.value() < p.kernel[i]) {
      fail(ErrorCode::kModel, fmt::format("the window of {} does not fit the padded input of {}",
                                          p.kernel[i], padded.value()));
    }
    size = num_windows(p, i, padded);
  }
  c.set_output_shape(0, shape);
}

namespace {

Value pool_all(const PoolV1Param& p, Builder& b, Value x) {
  switch (p.pool_type) {
    case PoolV1Param::Type::kMax:
      return onnx::reduce(b, "ReduceMax", x, {2, 3}, true);
    case PoolV1Param::Type::kAvg:
      return onnx::reduce(b, "ReduceMean", x, {2, 3}, true);
    case PoolV1Param::Type::kSum:
      return onnx::reduce(b, "ReduceSum", x, {2, 3}, true);
  }
  return {};
}

// `x` with the least number there is along an axis, up to a size that is larger by one or not at
// all.
Value with_least(Builder& b, Value x, std::size_t axis, const Dim& size) {
  if (b.shape(x)[axis] == size) return x;
  onnx::Ints more(4, 0);
  more[axis] = 1;
  const Value longer =
      onnx::pad(b, x, onnx::Ints(4, 0), more, "constant", -std::numeric_limits<double>::infinity());
  Shape result = b.shape(x);
  result[axis] = size;
  return onnx::slice(b, longer, {{static_cast<std::int64_t>(axis), 0, size}}, result);
}

// The zeros of the padding count, what a window hangs over does not. Steps larger than the window
// may leave a window that lies behind the input altogether.
Value pool_max(const PoolV1Param& p, Translation& t, Tuple over) {
  Builder& b = t.b;
  const Tuple pads = p.pads();
  const Value x =
      onnx::pad(b, t.input(0), {0, 0, pads[0], pads[1]}, {0, 0, pads[0], pads[1]}, "constant");
  Shape pooled = t.output_shape(0);
  for (std::size_t i = 0; i < 2; ++i) {
    if (over[i] < p.kernel[i]) continue;
    over[i] = p.kernel[i] - 1;
    pooled[i + 2] = ceil_div(b.shape(x)[i + 2], p.strides()[i]);
  }
  const onnx::Attributes attrs{{"kernel_shape", p.kernel},
                               {"strides", p.strides()},
                               {"pads", Tuple{0, 0, over[0], over[1]}}};
  Value result = b.emit("MaxPool", {x}, attrs, {b.dtype(x), pooled});
  for (const std::size_t axis : {2U, 3U}) {
    result = with_least(b, result, axis, t.output_shape(0)[axis]);
  }
  return result;
}

}  // namespace

void translate_pool_v1(const PoolV1Param& p, Translation& t) {
  Builder& b = t.b;
  if (!is_floating(t.input_type(0).dtype)) {
    return t.refuse(
        fmt::format("MXNet does not compute this on {}", dtype_name(t.input_type(0).dtype)));
  }
  if (p.global_pool) return t.set_output(0, pool_all(p, b, t.input(0)));
  const Tuple pads = p.pads();
  const Tuple over = overhang(p);
  if (p.pool_type == PoolV1Param::Type::kMax) return t.set_output(0, pool_max(p, t, over));
  onnx::Attributes attrs{{"kernel_shape", p.kernel}, {"strides", p.strides()}};
  const Value x = onnx::pad(b, t.input(0), {0, 0, pads[0], pads[1]},
                            {0, 0, pads[0] + over[0], pads[1] + over[1]}, "constant");
  const Value average = b.emit("AveragePool", {x}, std::move(attrs), t.output_type(0));
  if (p.pool_type == PoolV1Param::Type::kAvg) return t.set_output(0, average);
  const auto area = static_cast<double>(p.kernel[0] * p.kernel[1]);
  t.set_output(0, b.mul(average, b.scalar(b.dtype(x), area)));
}

void register_pool_v1(Registry& r) {
  r.add<PoolV1Param>({"Pooling_v1"})
      .summary("Max, average or sum pooling in two dimensions, as MXNet 0.x had it.")
      .infer(infer_pool_v1)
      .translate(translate_pool_v1)
      .check(check_pool_v1)
      .note(kPoolV1NanNote);
}

}  // namespace mx2onnx
