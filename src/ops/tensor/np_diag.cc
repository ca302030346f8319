// Diagonals and triangles of NumPy's interface: diag, diagflat, diagonal, tril, triu, and the
// indices of both (src/operator/numpy/np_matrix_op-inl.h, np_tril_op-inl.h, np_triu_op-inl.h).
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/tensor/diagonals.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct NpDiagParam {
  std::int64_t k = 0;
  static void declare(AttrDeclarer<NpDiagParam>& d) {
    d.field("k", &NpDiagParam::k).at_least(-INT32_MAX).at_most(INT32_MAX).help(kDiagonalHelp);
  }
};

void infer_np_diag(const NpDiagParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() == 0 || from.rank() > 2) c.fail_input(0, "1 or 2 dimensions");
  if (from.rank() == 1) {
    const Dim size = from[0] + std::abs(p.k);
    return c.set_output_shape(0, {size, size});
  }
  c.set_output_shape(0, {max(diagonal_length(from[0], from[1], p.k), 0)});
}

void translate_np_diag(const NpDiagParam& p, Translation& t) {
  const Shape& to = t.output_shape(0);
  t.set_output(0, t.input_rank(0) == 1 ? matrix_of_diagonal(t.b, p.k, t.input(0), to)
                                       : diagonal_of(t.b, t.input(0), p.k, 0, 1, to));
}

// As MXNet counts the elements: of two dimensions and more, those of axes of size 0 as if they were
// 1, and an array without elements has none to put there.
void infer_diagflat(const NpDiagParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (from.rank() > 1 && from.is_empty()) c.fail_input(0, "elements");
  const Dim size = from.count() + std::abs(p.k);
  c.set_output_shape(0, {size, size});
}

void translate_diagflat(const NpDiagParam& p, Translation& t) {
  const Value flat = onnx::reshape(t.b, t.input(0), Shape{t.input_shape(0).count()});
  t.set_output(0, matrix_of_diagonal(t.b, p.k, flat, t.output_shape(0)));
}

struct DiagonalParam {
  std::int64_t offset = 0;
  std::int64_t axis1 = 0;
  std::int64_t axis2 = 1;
  static void declare(AttrDeclarer<DiagonalParam>& d) {
    d.field("offset", &DiagonalParam::offset)
        .at_least(-INT32_MAX)
        .at_most(INT32_MAX)
        .help(kDiagonalHelp);
    d.field("axis1", &DiagonalParam::axis1).help("rows");
    d.field("axis2", &DiagonalParam::axis2).help("columns");
  }
};

std::pair<std::size_t, std::size_t> axes_of(const DiagonalParam& p, std::size_t rank) {
  const std::pair found{checked_axis(p.axis1, rank, "axis1"), checked_axis(p.axis2, rank, "axis2")};
  if (found.first == found.second) {
    fail(ErrorCode::kModel, fmt::format("axis1 and axis2 are both axis {}", found.first));
  }
  return found;
}

void infer_diagonal(const DiagonalParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() < 2) c.fail_input(0, "at least 2 dimensions");
  const auto [rows, columns] = axes_of(p, from.rank());
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (i != rows && i != columns) dims.push_back(from[i]);
  }
  dims.push_back(max(diagonal_length(from[rows], from[columns], p.offset), 0));
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_diagonal(const DiagonalParam& p, Translation& t) {
  const auto [rows, columns] = axes_of(p, t.input_rank(0));
  t.set_output(0, diagonal_of(t.b, t.input(0), p.offset, rows, columns, t.output_shape(0)));
}

// A vector is every row of a matrix.
void infer_triangle(const NpDiagParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() == 0) c.fail_input(0, "at least 1 dimension");
  c.set_output_shape(0, from.rank() == 1 ? Shape{from[0], from[0]} : from);
}

enum class Triangle { kLower, kUpper };

void translate_triangle(const NpDiagParam& p, Translation& t, Triangle which) {
  Builder& b = t.b;
  const Shape& to = t.output_shape(0);
  const DType dtype = t.output_type(0).dtype;
  if (to.is_empty()) return t.set_output(0, onnx::fill(b, dtype, 0, to));
  const Value rows = onnx::unsqueeze(b, counting(b, to[to.rank() - 2]), {1});
  const Value columns = onnx::unsqueeze(b, counting(b, to[to.rank() - 1]), {0});
  const Value edge = b.add(rows, b.int_scalar(p.k));
  Value kept =
      which == Triangle::kUpper ? b.binary("Less", columns, edge) : b.binary("Less", edge, columns);
  kept = b.unary("Not", kept);
  const DType compute = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  const Value x = b.where(kept, b.cast(t.input(0), compute), b.scalar(compute, 0));
  t.set_output(0, b.cast(x, dtype));
}

struct TrilIndicesParam {
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t m = 0;
  static void declare(AttrDeclarer<TrilIndicesParam>& d) {
    d.field("n", &TrilIndicesParam::n).required().at_least(0).at_most(INT32_MAX).help("rows");
    d.field("k", &TrilIndicesParam::k).at_least(-INT32_MAX).at_most(INT32_MAX).help(kDiagonalHelp);
    d.field("m", &TrilIndicesParam::m).required().at_least(0).at_most(INT32_MAX).help("columns");
  }
  // How many elements lie on the diagonal and below it: full rows after those that grow.
  std::int64_t count() const {
    std::int64_t first = std::clamp<std::int64_t>(-k, 0, n);            // first row with an element
    std::int64_t full = std::clamp<std::int64_t>(m - 1 - k, first, n);  // first full row
    const auto sum = static_cast<double>(full - first) *
                         (static_cast<double>(first + k + 1) + static_cast<double>(full + k)) / 2 +
                     static_cast<double>(n - full) * static_cast<double>(m);
    if (!(sum < 0x1p31)) fail(ErrorCode::kModel, "the triangle has more than 2^31 elements");
    return static_cast<std::int64_t>(sum);
  }
};

void infer_tril_indices(const TrilIndicesParam& p, InferContext& c) {
  for (std::size_t i = 0; i < 2; ++i) {
    c.set_output_dtype(i, DType::kInt64);
    c.set_output_shape(i, Shape{p.count()});
  }
}

void translate_tril_indices(const TrilIndicesParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape shape = t.output_shape(0);
  if (shape.is_empty()) {
    for (std::size_t i = 0; i < 2; ++i) t.set_output(i, onnx::fill(b, DType::kInt64, 0, shape));
    return;
  }
  const Value edge = b.add(onnx::unsqueeze(b, counting(b, p.n), {1}), b.int_scalar(p.k));
  const Value above = b.binary("Less", edge, onnx::unsqueeze(b, counting(b, p.m), {0}));
  const Value places =
      b.emit("NonZero", {b.unary("Not", above)}, {}, {DType::kInt64, Shape{2, shape[0]}});
  const auto parts = onnx::split(b, places, 0, {1, 1});
  for (std::size_t i = 0; i < 2; ++i) t.set_output(i, onnx::reshape(b, parts[i], shape));
}

void infer_diag_indices(const NoParam& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() < 2) c.fail_input(0, "at least 2 dimensions");
  Shape cube = from;
  for (std::size_t i = 0; i < cube.rank(); ++i) {
    for (std::size_t k = 0; k < cube.rank() && !cube[i].known(); ++k) cube[i] = from[k];
    cube[i] = from[0].known() ? from[0] : cube[i];
  }
  c.set_input_shape(0, cube);
  c.set_output_shape(0, Shape{static_cast<std::int64_t>(from.rank()), c.input_shape(0)[0]});
}

void translate_diag_indices(const NoParam& /*p*/, Translation& t) {
  const Value row = onnx::unsqueeze(t.b, counting(t.b, t.input_shape(0)[0]), {0});
  t.set_output(0, onnx::expand(t.b, row, t.output_shape(0)));
}

}  // namespace

void register_np_diag(Registry& r) {
  for (const char* prefix : {"_np", "_npi"}) {
    r.add<NpDiagParam>({fmt::format("{}_diag", prefix)})
        .summary("A diagonal of a matrix, or a matrix with a given diagonal.")
        .infer(infer_np_diag)
        .translate(translate_np_diag);
    r.add<NpDiagParam>({fmt::format("{}_diagflat", prefix)})
        .summary("A matrix with the flattened array as a diagonal.")
        .infer(infer_diagflat)
        .translate(translate_diagflat);
    r.add<DiagonalParam>({fmt::format("{}_diagonal", prefix)})
        .summary("A diagonal of matrices.")
        .infer(infer_diagonal)
        .translate(translate_diagonal);
  }
  for (const auto& [name, which] :
       {std::pair("_npi_tril", Triangle::kLower), std::pair("_npi_triu", Triangle::kUpper)}) {
    r.add<NpDiagParam>({name})
        .summary(which == Triangle::kLower ? "Matrices with zeros above a diagonal."
                                           : "Matrices with zeros below a diagonal.")
        .infer(infer_triangle)
        .translate([which = which](const NpDiagParam& p, Translation& t) {
          translate_triangle(p, t, which);
        });
  }
  r.add<TrilIndicesParam>({"_npi_tril_indices"})
      .summary("Rows and columns of the elements on a diagonal and below it.")
      .inputs({})
      .outputs({"output0", "output1"})
      .infer(infer_tril_indices)
      .translate(translate_tril_indices);
  r.add<NoParam>({"_npi_diag_indices_from"})
      .summary("The coordinates of the main diagonal.")
      .infer(infer_diag_indices)
      .translate(translate_diag_indices);
}

}  // namespace mx2onnx
