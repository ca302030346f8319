// Pooling_v1, the pooling of MXNet 0.x (src/operator/pooling_v1-inl.h), which unlike Pooling really
// pads.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/nn/pool.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct PoolV1Param : PoolParam {
  static void declare(AttrDeclarer<PoolV1Param>& d) {
    declare_pool(d, {"max", "avg", "sum"}, {"full", "valid"});
  }
};

}  // namespace

std::vector<AttrProblem> check_pool_v1(const PoolParam& p, const CheckContext& /*context*/) {
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

void infer_pool_v1(const PoolParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  if (shape.rank() != 4) c.fail_input(0, "4 dimensions");
  for (std::size_t i = 0; i < 2; ++i) {
    shape[i + 2] = p.global_pool ? Dim(1) : p.windows(i, shape[i + 2]);
  }
  c.set_output_shape(0, shape);
}

namespace {

// The rows behind the padded input that a last window may hang over. A window that would be there
// for more of them alone does not exist.
Tuple overhang(const PoolParam& p) {
  Tuple over(2, 0);
  for (std::size_t i = 0; i < 2; ++i) {
    if (p.pooling_convention == PoolParam::Convention::kFull) over[i] = p.stride_at(i) - 1;
    if (p.pooling_convention == PoolParam::Convention::kInside)
      over[i] = std::min(p.stride_at(i), p.kernel[i]) - 1;
  }
  return over;
}

Value pool_all(const PoolParam& p, Builder& b, Value x) {
  switch (p.pool_type) {
    case PoolParam::Type::kMax:
      return onnx::reduce(b, "ReduceMax", x, {2, 3}, true);
    case PoolParam::Type::kAvg:
      return onnx::reduce(b, "ReduceMean", x, {2, 3}, true);
    default:
      return onnx::reduce(b, "ReduceSum", x, {2, 3}, true);
  }
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
Value pool_max(const PoolParam& p, Translation& t, Tuple over) {
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

void translate_pool_v1(const PoolParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_floating(t)) return;
  if (p.global_pool) return t.set_output(0, pool_all(p, b, t.input(0)));
  const Tuple pads = p.pads();
  const Tuple over = overhang(p);
  if (p.pool_type == PoolParam::Type::kMax) return t.set_output(0, pool_max(p, t, over));
  onnx::Attributes attrs{{"kernel_shape", p.kernel}, {"strides", p.strides()}};
  const Value x = onnx::pad(b, t.input(0), {0, 0, pads[0], pads[1]},
                            {0, 0, pads[0] + over[0], pads[1] + over[1]}, "constant");
  const Value average = b.emit("AveragePool", {x}, std::move(attrs), t.output_type(0));
  if (p.pool_type == PoolParam::Type::kAvg) return t.set_output(0, average);
  const double area = static_cast<double>(p.kernel[0]) * static_cast<double>(p.kernel[1]);
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
