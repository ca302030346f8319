#include "ops/exact_reduce.h"

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/subgraph.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;

// Elements [start, end) along an axis.
Value part(Builder& b, Value x, std::size_t axis, std::int64_t start, std::int64_t end) {
  Shape shape = b.shape(x);
  shape[axis] = end - start;
  return onnx::slice(b, x, {{static_cast<std::int64_t>(axis), start, end}}, shape);
}

// The product along an axis of a given size: half of the elements with the other half, until there
// is one.
Value fold(Builder& b, Value x, std::size_t axis, std::int64_t count) {
  while (count > 1) {
    const std::int64_t half = count / 2;
    const Value product = b.mul(part(b, x, axis, 0, half), part(b, x, axis, half, 2 * half));
    const bool is_odd = count % 2 != 0;
    x = is_odd ? b.concat({product, part(b, x, axis, 2 * half, count)},
                          static_cast<std::int64_t>(axis))
               : product;
    count = half + (is_odd ? 1 : 0);
  }
  return x;
}

// The same of a size that is known at run time only. A 1 is multiplied in, too, for there may be no
// elements.
Value fold_in_loop(Builder& b, Value x, std::size_t axis) {
  constexpr std::int64_t kMostTurns = 63;
  TensorType type = b.type(x);
  type.shape[axis] = 1;
  const Value one = onnx::fill(b, DType::kInt64, 1, type.shape);
  const TensorType finished = type;
  type.shape[axis] = Dim();
  const auto join = [&](Value first, Value second) {
    return b.emit("Concat", {first, second}, {{"axis", static_cast<std::int64_t>(axis)}}, type);
  };
  const auto size = [&](Value of) { return onnx::shape_slice(b, of, axis, axis + 1); };
  const Shape scalar(std::vector<Dim>{});
  const Value start = join(x, one);
  BodyScope scope(b);
  scope.add_input("turn", {DType::kInt64, scalar});
  scope.add_input("go_on", {DType::kBool, scalar});
  const Value state = scope.add_input("factors", type);
  const auto cut = [&](Value first, Value last) {
    return b.emit("Slice", {state, first, last, b.ints({static_cast<std::int64_t>(axis)})}, {},
                  type);
  };
  const Value count = size(state);
  const Value half = b.div(count, b.ints({2}));
  const Value end = b.mul(half, b.ints({2}));
  const Value product = b.mul(cut(b.ints({0}), half), cut(half, end));
  const Value next = join(product, cut(end, count));
  const Value go_on = onnx::squeeze(b, b.binary("Greater", size(next), b.ints({1})), {0});
  const auto body = scope.finish({go_on, next});
  return b.emit("Loop", {b.int_scalar(kMostTurns), b.scalar(DType::kBool, 1), start},
                {{"body", body}}, finished);
}

Value product_along(Builder& b, Value x, std::size_t axis) {
  const Dim count = b.shape(x)[axis];
  if (!count.is_constant()) return fold_in_loop(b, x, axis);
  if (count.value() > 0) return fold(b, x, axis, count.value());
  Shape shape = b.shape(x);
  shape[axis] = 1;
  return onnx::fill(b, DType::kInt64, 1, shape);
}

// A product of matrices with ones. The axis is the last one.
Value sum_along_last(Builder& b, Value x) {
  Shape shape = b.shape(x);
  const Value ones = onnx::fill(b, DType::kInt64, 1, Shape{shape[shape.rank() - 1], 1});
  shape[shape.rank() - 1] = 1;
  return b.emit("MatMul", {x, ones}, {}, {DType::kInt64, shape});
}

Value sum_along(Builder& b, Value x, std::size_t axis) {
  const std::size_t rank = b.shape(x).rank();
  const Value sums = sum_along_last(b, b.transpose(x, swap_perm(rank, axis, rank - 1)));
  return b.transpose(sums, swap_perm(rank, axis, rank - 1));
}

using Along = Value (*)(Builder& b, Value x, std::size_t axis);

Value reduce_each(Builder& b, Value x, const Ints& axes, bool keepdims, Along along) {
  for (const auto axis : axes) x = along(b, x, static_cast<std::size_t>(axis));
  return keepdims || axes.empty() ? x : onnx::squeeze(b, x, axes);
}

}  // namespace

Value exact_sum(Builder& b, Value x, const Ints& axes, bool keepdims) {
  return reduce_each(b, x, axes, keepdims, sum_along);
}

Value exact_product(Builder& b, Value x, const Ints& axes, bool keepdims) {
  return reduce_each(b, x, axes, keepdims, product_along);
}

}  // namespace mx2onnx
