// dot and batch_dot (src/operator/tensor/dot-inl.h).
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/linalg/contraction.h"

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

ContractedAxes contracted(const DotParam& p, std::size_t left_rank, std::size_t right_rank) {
  return {{p.transpose_a ? 0 : left_rank - 1}, {p.transpose_b ? right_rank - 1 : 0}};
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
  const ContractedAxes axes = contracted(p, lhs.rank(), rhs.rank());
  // The product of two vectors has shape (1,), under NumPy semantics, too.
  if (lhs.rank() == 1 && rhs.rank() == 1) {
    c.set_input_shape(0, rhs);
    c.set_input_shape(1, lhs);
    return c.set_output_shape(0, Shape{Dim(1)});
  }
  // MXNet compares sizes only where there is something to compute.
  std::vector<Dim> dims;
  for (const auto i : other_axes(lhs.rank(), axes.left)) dims.push_back(lhs[i]);
  for (const auto i : other_axes(rhs.rank(), axes.right)) dims.push_back(rhs[i]);
  const bool is_empty = lhs.is_static() && rhs.is_static() && Shape(std::move(dims)).is_empty();
  infer_contraction(c, axes, !is_empty);
}

void translate_dot(const DotParam& p, Translation& t) {
  t.set_output(0, contract(t.b, t.input(0), t.input(1),
                           contracted(p, t.input_rank(0), t.input_rank(1)), t.output_shape(0)));
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
