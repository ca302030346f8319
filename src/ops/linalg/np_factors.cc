// Equations, inverses and factors of NumPy's interface: solve, tensorsolve, tensorinv, qr, svd
// (src/operator/numpy/linalg).
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/matrices.h"
#include "ops/linalg/elimination.h"
#include "ops/linalg/jacobi.h"
#include "ops/linalg/np_types.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// B is a matrix or a vector for each matrix of A.
void infer_solve(const NoParam& /*p*/, InferContext& c) {
  infer_square_shape(c);
  infer_linalg_dtypes(c);
  c.set_input_shape(1, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(1));
  const Shape a = c.input_shape(0);
  const Shape right = c.input_shape(1);
  if (!a.known_rank() || !right.known_rank()) return;
  if (right.rank() != a.rank() && right.rank() + 1 != a.rank()) {
    c.fail_input(1, fmt::format("{} or {} dimensions", a.rank() - 1, a.rank()));
  }
  // Batches, and the rows.
  Shape known = Shape::unknown_dims(right.rank());
  for (std::size_t i = 0; i + 1 < a.rank(); ++i) known[i] = a[i];
  c.set_input_shape(1, known);
  Shape square = Shape::unknown_dims(a.rank());
  for (std::size_t i = 0; i + 1 < a.rank(); ++i) square[i] = c.input_shape(1)[i];
  c.set_input_shape(0, square);
  c.set_output_shape(0, c.input_shape(1));
}

void translate_solve(const NoParam& /*p*/, Translation& t) {
  if (!expect_linalg_type(t)) return;
  Builder& b = t.b;
  const Value a = in_result_type(t, 0);
  const Value right = in_result_type(t, 1);
  if (t.input_rank(1) == t.input_rank(0)) return t.set_output(0, solve(b, a, right));
  const Value column = onnx::unsqueeze(b, right, {-1});
  t.set_output(0, onnx::squeeze(b, solve(b, a, column), {-1}));
}

struct TensorinvParam {
  std::int64_t ind = 2;

  static void declare(AttrDeclarer<TensorinvParam>& d) {
    d.field("ind", &TensorinvParam::ind)
        .at_least(1)
        .help("how many axes are the rows of the matrix that is inverted");
  }
};

// The sizes of the axes [begin, end).
std::vector<Dim> dims_between(const Shape& shape, std::size_t begin, std::size_t end) {
  const auto& dims = shape.dims();
  return {dims.begin() + static_cast<std::ptrdiff_t>(begin),
          dims.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::size_t row_axes(const TensorinvParam& p, const Shape& a) {
  return std::min(static_cast<std::size_t>(p.ind), a.rank());
}

void check_same_count(InferContext& c, std::size_t input, const Dim& first, const Dim& second) {
  if (first.is_constant() && second.is_constant() && first != second) {
    c.fail_input(input, "the sizes of a square matrix");
  }
}

void infer_tensorinv(const TensorinvParam& p, InferContext& c) {
  infer_linalg_dtypes(c);
  const Shape a = c.input_shape(0);
  if (!a.known_rank()) return;
  if (a.rank() == 0) c.fail_input(0, "1 dimension or more");
  const std::size_t rows = row_axes(p, a);
  auto dims = dims_between(a, rows, a.rank());
  const auto front = dims_between(a, 0, rows);
  check_same_count(c, 0, a.count(0, rows), a.count(rows, a.rank()));
  dims.insert(dims.end(), front.begin(), front.end());
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_tensorinv(const TensorinvParam& p, Translation& t) {
  if (!expect_linalg_type(t)) return;
  const Dim n = t.input_shape(0).count(0, row_axes(p, t.input_shape(0)));
  const Value square = onnx::reshape(t.b, in_result_type(t, 0), Shape{n, n});
  t.set_output(0, onnx::reshape(t.b, inverse(t.b, square), t.output_shape(0)));
}

struct TensorsolveParam {
  Tuple a_axes;

  static void declare(AttrDeclarer<TensorsolveParam>& d) {
    d.field("a_axes", &TensorsolveParam::a_axes).help("axes of a that are moved to its end first");
  }
};

std::vector<std::int64_t> tensorsolve_order(const TensorsolveParam& p, std::size_t rank) {
  std::vector<bool> is_moved(rank, false);
  std::vector<std::int64_t> order;
  std::vector<std::int64_t> moved;
  for (const auto axis : p.a_axes) {
    moved.push_back(static_cast<std::int64_t>(checked_axis(axis, rank, "a_axes")));
    if (is_moved[static_cast<std::size_t>(moved.back())]) {
      fail(ErrorCode::kModel, "attribute 'a_axes': names an axis twice");
    }
    is_moved[static_cast<std::size_t>(moved.back())] = true;
  }
  for (std::size_t i = 0; i < rank; ++i) {
    if (!is_moved[i]) order.push_back(static_cast<std::int64_t>(i));
  }
  order.insert(order.end(), moved.begin(), moved.end());
  return order;
}

void infer_tensorsolve(const TensorsolveParam& p, InferContext& c) {
  infer_linalg_dtypes(c);
  const Shape& a = c.input_shape(0);
  const Shape& right = c.input_shape(1);
  if (!a.known_rank() || !right.known_rank()) return;
  const auto order = tensorsolve_order(p, a.rank());
  if (right.rank() > a.rank()) c.fail_input(1, fmt::format("{} dimensions at most", a.rank()));
  Dim rows = 1;
  Dim columns = 1;
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < a.rank(); ++i) {
    const Dim& size = a[static_cast<std::size_t>(order[i])];
    if (i < right.rank()) {
      rows = rows * size;
    } else {
      columns = columns * size;
      dims.push_back(size);
    }
  }
  check_same_count(c, 0, rows, columns);
  check_same_count(c, 1, rows, right.count());
  // Of as many dimensions as A, all of size 1, MXNet takes all of them for those of the result.
  if (right.rank() == a.rank()) dims = a.dims();
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_tensorsolve(const TensorsolveParam& p, Translation& t) {
  if (!expect_linalg_type(t)) return;
  Builder& b = t.b;
  const Dim n = t.output_shape(0).count();
  const Value ordered = b.transpose(in_result_type(t, 0), tensorsolve_order(p, t.input_rank(0)));
  const Value square = onnx::reshape(b, ordered, Shape{n, n});
  const Value right = onnx::reshape(b, in_result_type(t, 1), Shape{n, Dim(1)});
  t.set_output(0, onnx::reshape(b, solve(b, square, right), t.output_shape(0)));
}

void infer_qr(const NoParam& /*p*/, InferContext& c) {
  infer_linalg_dtypes(c);
  const Shape a = c.input_shape(0);
  if (!a.known_rank()) return;
  const std::size_t rank = a.rank();
  if (rank < 2) c.fail_input(0, "matrices");
  const bool both = a[rank - 2].known() && a[rank - 1].known();
  const Dim r = both ? min(a[rank - 2], a[rank - 1]) : Dim();
  Shape q = a;
  q[rank - 1] = r;
  c.set_output_shape(0, q);
  Shape upper = a;
  upper[rank - 2] = r;
  c.set_output_shape(1, upper);
}

// That of the transposed matrices is A^T = L Q.
void translate_qr(const NoParam& /*p*/, Translation& t) {
  if (!expect_linalg_type(t)) return;
  const auto [lower, orthogonal] = lower_orthogonal(t.b, transposed(t.b, in_result_type(t, 0)));
  t.set_output(0, transposed(t.b, orthogonal));
  t.set_output(1, transposed(t.b, lower));
}

void infer_svd(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, c.output_shape(2));
  const Shape a = c.input_shape(0);
  if (!a.known_rank()) return;
  const std::size_t rank = a.rank();
  if (rank < 2) c.fail_input(0, "matrices");
  if (a[rank - 2].is_constant() && a[rank - 1].is_constant() &&
      a[rank - 2].value() > a[rank - 1].value()) {
    c.fail_input(0, "matrices with as many columns as rows, or more");
  }
  Shape left = a;
  left[rank - 1] = a[rank - 2];
  c.set_output_shape(0, left);
  c.set_output_shape(1, Shape(dims_between(a, 0, rank - 1)));
  c.set_output_shape(2, a);
}

void translate_svd(const NoParam& /*p*/, Translation& t) {
  if (!expect_linalg_type(t)) return;
  Builder& b = t.b;
  const auto [left, values, right] = singular_values(b, b.cast(t.input(0), DType::kFloat64));
  const DType dtype = t.output_type(0).dtype;
  t.set_output(0, b.cast(left, dtype));
  t.set_output(1, b.cast(values, dtype));
  t.set_output(2, b.cast(right, dtype));
}

}  // namespace

void register_np_factors(Registry& r) {
  const std::vector<InputDef> one_input{{"A", InputRole::kData}};
  const std::string singular = "Of a singular matrix the result is not finite; MXNet stops there.";
  r.add<NoParam>({"_npi_solve"})
      .summary("X of A X = B, where B is matrices or vectors.")
      .inputs({{"A", InputRole::kData}, {"B", InputRole::kData}})
      .infer(infer_solve)
      .translate(translate_solve)
      .note(singular);
  r.add<TensorinvParam>({"_npi_tensorinv"})
      .summary("The inverse of an array taken as a matrix.")
      .inputs({{"a", InputRole::kData}})
      .infer(infer_tensorinv)
      .translate(translate_tensorinv)
      .note(singular);
  r.add<TensorsolveParam>({"_npi_tensorsolve"})
      .summary("Solves an equation whose matrix and vector are arrays of any shape.")
      .inputs({{"a", InputRole::kData}, {"b", InputRole::kData}})
      .infer(infer_tensorsolve)
      .translate(translate_tensorsolve)
      .note(singular);
  r.add<NoParam>({"_npi_qr"})
      .summary("Q and R of A = Q R.")
      .inputs(one_input)
      .outputs({"output0", "output1"})
      .infer(infer_qr)
      .translate(translate_qr)
      .note(
          "Of a matrix with elements that are not finite, or whose squares overflow, the result is "
          "not defined.");
  r.add<NoParam>({"_npi_svd"})
      .summary("U, the singular values, descending, and V of A = U diag(L) V.")
      .inputs(one_input)
      .outputs({"output0", "output1", "output2"})
      .infer(infer_svd)
      .translate(translate_svd)
      .note(
          "Where two singular values are equal, or the two largest elements of a row of V have one "
          "magnitude, vectors are those of any algorithm, and may be others than MXNet's; rows of "
          "V "
          "for values of 0 are not orthonormal.")
      .note("Of a matrix with elements that are not finite the result is not defined.");
}

}  // namespace mx2onnx
