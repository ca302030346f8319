#include "ops/math/exact_reduce.h"

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"

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

// A product of matrices with ones, which stand right or left of them.
Value sum_of_matrices(Builder& b, Value x, bool of_columns) {
  Shape shape = b.shape(x);
  const std::size_t axis = shape.rank() - (of_columns ? 2 : 1);
  const Value ones =
      onnx::fill(b, DType::kInt64, 1, of_columns ? Shape{1, shape[axis]} : Shape{shape[axis], 1});
  shape[axis] = 1;
  return b.emit("MatMul", of_columns ? std::vector<Value>{ones, x} : std::vector<Value>{x, ones},
                {}, {DType::kInt64, shape});
}

Value sum_along(Builder& b, Value x, std::size_t axis) {
  const std::size_t rank = b.shape(x).rank();
  if (axis + 2 == rank) return sum_of_matrices(b, x, true);
  const auto perm = swap_perm(rank, axis, rank - 1);
  return b.transpose(sum_of_matrices(b, b.transpose(x, perm), false), perm);
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
