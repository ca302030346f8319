// diag: diagonals, and matrices of them (src/operator/tensor/diag_op-inl.h).
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/notes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct DiagParam {
  std::int64_t k = 0;
  std::int64_t axis1 = 0;
  std::int64_t axis2 = 1;
  static void declare(AttrDeclarer<DiagParam>& d) {
    d.field("k", &DiagParam::k)
        .at_least(-kMost)
        .at_most(kMost)
        .help("which diagonal; above 0 the upper ones");
    d.field("axis1", &DiagParam::axis1).help("rows; not of a vector");
    d.field("axis2", &DiagParam::axis2).help("columns; not of a vector");
  }
  static constexpr double kMost = INT32_MAX;

  std::pair<std::size_t, std::size_t> axes(std::size_t rank) const {
    const std::pair found{checked_axis(axis1, rank, "axis1"), checked_axis(axis2, rank, "axis2")};
    if (found.first == found.second) {
      fail(ErrorCode::kModel, fmt::format("axis1 and axis2 are both axis {}", found.first));
    }
    return found;
  }
  Dim length(const Dim& rows, const Dim& columns) const {
    return min(k < 0 ? rows + k : rows, k > 0 ? columns - k : columns);
  }
};

void infer_diag(const DiagParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (from.rank() == 1) {
    const Dim size = from[0] + std::abs(p.k);
    c.set_output_shape(0, {size, size});
    return;
  }
  const auto [rows, columns] = p.axes(from.rank());
  const Dim length = p.length(from[rows], from[columns]);
  if (length.is_constant() && length.value() < 0) {
    c.fail_input(0, fmt::format("a matrix that has diagonal {}", p.k));
  }
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (i != rows && i != columns) dims.push_back(from[i]);
  }
  dims.push_back(length);
  c.set_output_shape(0, Shape(std::move(dims)));
}

// A matrix with the vector on a diagonal.
Value matrix_of_diagonal(Builder& b, const DiagParam& p, Value vector, const Shape& result) {
  const Dim& size = b.shape(vector)[0];
  const Value places = counting(b, result[0]);
  const Value rows = onnx::unsqueeze(b, places, {1});
  const Value columns = onnx::unsqueeze(b, places, {0});
  const Value hit = b.binary("Equal", b.add(rows, b.int_scalar(p.k)), columns);
  // The element is found by its row, or by its column if the diagonal is a lower one.
  const Value known = b.binary("Min", p.k < 0 ? columns : rows, onnx::size_tensor(b, size - 1));
  const DType dtype = b.dtype(vector);
  const DType compute = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  const Value elements = b.cast(b.gather(vector, known, 0), compute);
  return b.cast(b.where(hit, elements, b.scalar(compute, 0)), dtype);
}

void translate_diag(const DiagParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& from = t.input_shape(0);
  const Shape& to = t.output_shape(0);
  if (from.rank() == 1) return t.set_output(0, matrix_of_diagonal(b, p, t.input(0), to));
  const auto [rows, columns] = p.axes(from.rank());
  onnx::Ints perm;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (i != rows && i != columns) perm.push_back(static_cast<std::int64_t>(i));
  }
  perm.push_back(static_cast<std::int64_t>(rows));
  perm.push_back(static_cast<std::int64_t>(columns));
  std::vector<Dim> flat(to.dims().begin(), to.dims().end() - 1);
  flat.push_back(from[rows] * from[columns]);
  const Value matrices = onnx::reshape(b, b.transpose(t.input(0), perm), Shape(std::move(flat)));
  const Dim& width = from[columns];
  const Dim first = p.k < 0 ? width * -p.k : Dim(p.k);
  const Value places = b.add(b.mul(counting(b, to.dims().back()), onnx::size_tensor(b, width + 1)),
                             onnx::size_tensor(b, first));
  t.set_output(0, b.gather(matrices, places, static_cast<std::int64_t>(to.rank()) - 1));
}

}  // namespace

void register_diag(Registry& r) {
  r.add<DiagParam>({"diag"})
      .summary("A diagonal of matrices, or a matrix with a given diagonal.")
      .infer(infer_diag)
      .translate(translate_diag)
      .note(std::string(kZeroSignNote));
}

}  // namespace mx2onnx
