// diag: diagonals, and matrices of them (src/operator/tensor/diag_op-inl.h).
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/notes.h"
#include "ops/tensor/diagonals.h"

namespace mx2onnx {
namespace {

struct DiagParam {
  std::int64_t k = 0;
  std::int64_t axis1 = 0;
  std::int64_t axis2 = 1;
  static void declare(AttrDeclarer<DiagParam>& d) {
    d.field("k", &DiagParam::k).at_least(-kMost).at_most(kMost).help(kDiagonalHelp);
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
  const Dim length = diagonal_length(from[rows], from[columns], p.k);
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

void translate_diag(const DiagParam& p, Translation& t) {
  const Shape& from = t.input_shape(0);
  const Shape& to = t.output_shape(0);
  if (from.rank() == 1) return t.set_output(0, matrix_of_diagonal(t.b, p.k, t.input(0), to));
  const auto [rows, columns] = p.axes(from.rank());
  t.set_output(0, diagonal_of(t.b, t.input(0), p.k, rows, columns, to));
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
