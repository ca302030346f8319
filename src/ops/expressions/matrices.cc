// See matrices.h.
#include "ops/expressions/matrices.h"

#include <fmt/format.h>

#include "base/checked.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

constexpr std::int64_t kMostConstantElements = 4096;

std::vector<Value> emit_loop(Builder& b, const Dim& count, const std::vector<Value>& states,
                             const LoopStep& step, bool has_condition) {
  // What is made here is seen within the body.
  const Value trips = scalar_size(b, count);
  const Shape scalar(std::vector<Dim>{});
  const Value always = b.constant(make_scalar(DType::kBool, 1));
  BodyScope scope(b);
  const Value i = scope.add_input("step", {DType::kInt64, scalar});
  const Value go_on = scope.add_input("go_on", {DType::kBool, scalar});
  std::vector<Value> before;
  std::vector<TensorType> types;
  for (const Value state : states) {
    types.push_back(b.type(state));
    before.push_back(scope.add_input("state", b.type(state)));
  }
  auto after = step(i, before);
  if (!has_condition) after.insert(after.begin(), go_on);
  const auto body = scope.finish(after);
  std::vector<Value> inputs{trips, always};
  inputs.insert(inputs.end(), states.begin(), states.end());
  return b.emit_many("Loop", std::move(inputs), {{"body", body}}, std::move(types));
}

}  // namespace

void TriangleParam::declare(AttrDeclarer<TriangleParam>& d) {
  d.field("transpose", &TriangleParam::transpose).help("take A's transpose");
  d.field("rightside", &TriangleParam::rightside).help("A stands right of B");
  d.field("lower", &TriangleParam::lower).help("A's lower triangle, else the upper one");
  d.field("alpha", &TriangleParam::alpha).help("factor of the result");
}

void infer_square_shape(InferContext& c) {
  const Shape shape = c.input_shape(0);
  if (!shape.known_rank()) return;
  const std::size_t rank = shape.rank();
  if (rank < 2) c.fail_input(0, "square matrices");
  Shape swapped = Shape::unknown_dims(rank);
  swapped[rank - 2] = shape[rank - 1];
  swapped[rank - 1] = shape[rank - 2];
  c.set_input_shape(0, swapped);
}

void infer_square(InferContext& c) {
  c.unify_dtypes();
  infer_square_shape(c);
}

void infer_triangle(const TriangleParam& p, InferContext& c) {
  infer_square(c);
  for (const bool backward : {false, true}) {
    const Shape b = backward ? c.output_shape(0) : c.input_shape(1);
    if (!b.known_rank()) continue;
    const std::size_t rank = b.rank();
    if (rank < 2) c.fail_input(1, "matrices");
    Shape a = b;
    a[rank - 2] = a[rank - 1] = b[p.rightside ? rank - 1 : rank - 2];
    c.set_input_shape(0, a);
    c.set_input_shape(1, b);
    c.set_output_shape(0, b);
  }
  if (!c.input_shape(0).known_rank()) return;
  Shape b = c.input_shape(0);
  b[p.rightside ? b.rank() - 2 : b.rank() - 1] = Dim();
  c.set_input_shape(1, b);
}

Value triangle(Builder& b, Value x, bool lower) {
  const auto& dims = b.shape(x).dims();
  const Dim& height = dims[dims.size() - 2];
  const Dim& width = dims.back();
  // Above the diagonal a row's number is less than the column's; below it, the other way round.
  const Value other = lower ? position_mask(b, "Less", height, width)
                            : b.transpose(position_mask(b, "Less", width, height), {1, 0});
  return b.where(other, b.scalar(b.dtype(x), 0), x);
}

Value scalar_size(Builder& b, const Dim& size) {
  if (size.is_constant()) return b.int_scalar(size.value());
  return onnx::squeeze(b, onnx::size_tensor(b, size), {0});
}

Value position_mask(Builder& b, std::string_view op_type, const Dim& rows, const Dim& columns,
                    std::int64_t offset) {
  const bool is_static = rows.is_constant() && columns.is_constant();
  if (is_static && checked_mul(rows.value(), columns.value()) <= kMostConstantElements) {
    std::vector<double> mask;
    for (std::int64_t i = 0; i < rows.value(); ++i) {
      for (std::int64_t j = -offset; j < columns.value() - offset; ++j) {
        mask.push_back(static_cast<double>(op_type == "Equal" ? i == j : i < j));
      }
    }
    return b.constant(make_tensor_as(DType::kBool, {rows.value(), columns.value()}, mask));
  }
  Value column = counting(b, columns);
  if (offset != 0) column = b.sub(column, b.int_scalar(offset));
  return b.binary(op_type, onnx::unsqueeze(b, counting(b, rows), {1}), column);
}

Value transposed(Builder& b, Value x) {
  const std::size_t rank = b.shape(x).rank();
  return b.transpose(x, swap_perm(rank, rank - 2, rank - 1));
}

Value outer(Builder& b, Value u, Value v) {
  return b.mul(onnx::unsqueeze(b, u, {-1}), onnx::unsqueeze(b, v, {-2}));
}

Value row(Builder& b, Value x, Value i) { return b.gather(x, i, -2); }
Value column(Builder& b, Value x, Value i) { return b.gather(x, i, -1); }

Value diagonal_element(Builder& b, Value x, Value i) {
  return onnx::unsqueeze(b, b.gather(column(b, x, i), i, -1), {-1});
}

Value diagonal(Builder& b, Value x) {
  const std::size_t rank = b.shape(x).rank();
  const Dim& n = b.shape(x)[rank - 1];
  auto dims = b.shape(x).dims();
  dims.pop_back();
  dims.back() = n * n;
  const Value flat = onnx::reshape(b, x, Shape(std::move(dims)));
  const Value step = b.add(scalar_size(b, n), b.int_scalar(1));
  return b.gather(flat, b.mul(counting(b, n), step), -1);
}

std::vector<Value> counted_loop(Builder& b, const Dim& count, const std::vector<Value>& states,
                                const LoopStep& step) {
  return emit_loop(b, count, states, step, false);
}

std::vector<Value> counted_loop_while(Builder& b, const Dim& count,
                                      const std::vector<Value>& states, const LoopStep& step) {
  return emit_loop(b, count, states, step, true);
}

}  // namespace mx2onnx
