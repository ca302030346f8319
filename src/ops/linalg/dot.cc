// dot and batch_dot (src/operator/tensor/dot-inl.h).
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct DotParam {
  bool transpose_a = false;
  bool transpose_b = false;

  static void declare(AttrDeclarer<DotParam>& d) {
    d.field("transpose_a", &DotParam::transpose_a).help("contract the first axis of the left side");
    d.field("transpose_b", &DotParam::transpose_b).help("contract the last axis of the right side");
    d.ignore({"forward_stype"});
  }
};

// The axes of one side but the contracted one, which is the first or the last.
std::vector<Dim> free_dims(const Shape& shape, bool contract_first) {
  auto dims = shape.dims();
  dims.erase(contract_first ? dims.begin() : dims.end() - 1);
  return dims;
}

void infer_dot(const DotParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape lhs = c.input_shape(0);
  const Shape rhs = c.input_shape(1);
  if (!lhs.known_rank() || !rhs.known_rank()) return;
  if (lhs.rank() == 0 || rhs.rank() == 0)
    c.fail_input(lhs.rank() == 0 ? 0 : 1, "1 dimension or more");
  if (lhs.rank() == 1 && rhs.rank() == 1 && (p.transpose_a || p.transpose_b)) {
    fail(ErrorCode::kModel, "expected matrices to transpose, found vectors");
  }
  const std::size_t left_axis = p.transpose_a ? 0 : lhs.rank() - 1;
  const std::size_t right_axis = p.transpose_b ? rhs.rank() - 1 : 0;
  auto dims = free_dims(lhs, p.transpose_a);
  const auto more = free_dims(rhs, !p.transpose_b);
  dims.insert(dims.end(), more.begin(), more.end());
  // MXNet compares sizes only where there is something to compute.
  if (!lhs.is_static() || !rhs.is_static() || !Shape(dims).is_empty()) {
    Shape left = Shape::unknown_dims(lhs.rank());
    left[left_axis] = rhs[right_axis];
    c.set_input_shape(0, left);
    Shape right = Shape::unknown_dims(rhs.rank());
    right[right_axis] = lhs[left_axis];
    c.set_input_shape(1, right);
  }
  // The product of two vectors has shape (1,), under NumPy semantics, too.
  if (dims.empty()) dims.emplace_back(1);
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_dot(const DotParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& lhs = t.input_shape(0);
  const Shape& rhs = t.input_shape(1);
  Value left = t.input(0);
  Value right = t.input(1);
  if (lhs.rank() == 1 && rhs.rank() == 1) {
    const Value row = onnx::unsqueeze(b, left, {0});
    return t.set_output(0, b.emit("MatMul", {row, right}, {}, t.output_type(0)));
  }
  // Left as (free, contracted), right as (contracted, free).
  if (p.transpose_a && lhs.rank() > 1) {
    left = onnx::reshape(b, left, Shape{lhs[0], lhs.count(1, lhs.rank())});
    left = b.transpose(left, {1, 0});
  }
  // A vector becomes a column: ONNX Runtime fuses a transposition of the left side, whoever made
  // it, with the product, and is wrong then for a vector.
  if (rhs.rank() == 1) right = onnx::unsqueeze(b, right, {1});
  if (p.transpose_b && rhs.rank() > 1) {
    right = onnx::reshape(b, right, Shape{rhs.count(0, rhs.rank() - 1), rhs[rhs.rank() - 1]});
    right = b.transpose(right, {1, 0});
  } else if (rhs.rank() > 2) {
    right = onnx::reshape(b, right, Shape{rhs[0], rhs.count(1, rhs.rank())});
  }
  // ONNX's MatMul takes any number of axes on the left of a matrix.
  auto dims = free_dims(b.shape(left), false);
  dims.push_back(b.shape(right)[1]);
  const Value product =
      b.emit("MatMul", {left, right}, {}, {t.output_type(0).dtype, Shape(std::move(dims))});
  t.set_output(0, onnx::reshape(b, product, t.output_shape(0)));
}

void infer_batch_dot(const DotParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape lhs = c.input_shape(0);
  const Shape rhs = c.input_shape(1);
  if (!lhs.known_rank() || !rhs.known_rank()) return;
  const std::size_t rank = lhs.rank();
  if (rank < 3) c.fail_input(0, "3 dimensions or more");
  if (rhs.rank() != rank) c.fail_input(1, fmt::format("{} dimensions", rank));
  const std::size_t left_row = p.transpose_a ? rank - 1 : rank - 2;
  const std::size_t left_inner = p.transpose_a ? rank - 2 : rank - 1;
  const std::size_t right_inner = p.transpose_b ? rank - 1 : rank - 2;
  const std::size_t right_column = p.transpose_b ? rank - 2 : rank - 1;
  Shape left = Shape::unknown_dims(rank);
  Shape right = Shape::unknown_dims(rank);
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    left[i] = rhs[i];
    right[i] = lhs[i];
  }
  left[left_inner] = rhs[right_inner];
  right[right_inner] = lhs[left_inner];
  c.set_input_shape(0, left);
  c.set_input_shape(1, right);
  Shape result = c.input_shape(0);
  result[rank - 2] = lhs[left_row];
  result[rank - 1] = rhs[right_column];
  c.set_output_shape(0, result);
}

void translate_batch_dot(const DotParam& p, Translation& t) {
  const std::size_t rank = t.input_rank(0);
  const auto swapped = swap_perm(rank, rank - 2, rank - 1);
  const Value left = p.transpose_a ? t.b.transpose(t.input(0), swapped) : t.input(0);
  const Value right = p.transpose_b ? t.b.transpose(t.input(1), swapped) : t.input(1);
  t.set_output(0, t.b.emit("MatMul", {left, right}, {}, t.output_type(0)));
}

}  // namespace

void register_dot(Registry& r) {
  r.add<DotParam>({"dot", "_sparse_dot"})
      .summary("Contracts the last axis of the left side with the first of the right side.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_dot)
      .translate(translate_dot);
  r.add<DotParam>({"batch_dot", "_npx_batch_dot"})
      .summary("Matrix products over the leading axes.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_batch_dot)
      .translate(translate_batch_dot);
}

}  // namespace mx2onnx
