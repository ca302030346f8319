// Factorisations, inverses and determinants of batches of matrices
// (src/operator/tensor/la_op.cc), which MXNet leaves to LAPACK. Here each is a Loop over the
// columns that does LAPACK's unblocked algorithm to all matrices of the batch at once.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

const Dim& num_columns(const Builder& b, Value x) { return b.shape(x).dims().back(); }
const Dim& num_rows(const Builder& b, Value x) { return b.shape(x).dims()[b.shape(x).rank() - 2]; }

// Whether a row or column, of which there are `size`, is number `i`, or comes after it.
Value is_at(Builder& b, const Dim& size, Value i) {
  return b.binary("Equal", counting(b, size), i);
}
Value is_after(Builder& b, const Dim& size, Value i) {
  return b.binary("Less", i, counting(b, size));
}
// A mask of columns as one of rows.
Value as_rows(Builder& b, Value mask) { return onnx::unsqueeze(b, mask, {1}); }

Value zero(Builder& b, Value like) { return b.scalar(b.dtype(like), 0); }
Value one(Builder& b, Value like) { return b.scalar(b.dtype(like), 1); }

Value eye(Builder& b, Value like, const Dim& size) {
  return b.cast(position_mask(b, "Equal", size, size), b.dtype(like));
}

Value product(Builder& b, Value left, Value right) {
  TensorType type = b.type(left);
  type.shape = b.shape(left).rank() < b.shape(right).rank() ? b.shape(right) : b.shape(left);
  type.shape[type.shape.rank() - 2] = num_rows(b, left);
  type.shape[type.shape.rank() - 1] = num_columns(b, right);
  return b.emit("MatMul", {left, right}, {}, std::move(type));
}

// L of A = L L^T; reads the lower triangles.
Value cholesky(Builder& b, Value a) {
  const Dim n = num_columns(b, a);
  const auto end = counted_loop(b, n, {a}, [&](Value k, const std::vector<Value>& states) {
    const Value x = states[0];
    const Value root = b.unary("Sqrt", diagonal_element(b, x, k));
    const Value found = b.div(column(b, x, k), root);
    const Value below = b.where(is_after(b, n, k), found, zero(b, x));
    const Value rest = b.sub(x, outer(b, below, below));
    return std::vector<Value>{b.where(is_at(b, n, k), onnx::unsqueeze(b, found, {-1}), rest)};
  });
  return triangle(b, end[0], true);
}

// X of A X = B; reads the given triangle of A. Row after row of X is found, and taken out of the
// rows that are still to come.
Value solve_triangle(Builder& b, Value a, Value x, bool lower) {
  const Dim n = num_columns(b, a);
  const auto end = counted_loop(b, n, {x}, [&](Value step, const std::vector<Value>& states) {
    const Value k = lower ? step : b.sub(scalar_size(b, n - 1), step);
    const Value known = b.div(row(b, states[0], k), diagonal_element(b, a, k));
    const Value numbers = counting(b, n);
    const Value to_come = lower ? b.binary("Less", k, numbers) : b.binary("Less", numbers, k);
    const Value factors = b.where(to_come, column(b, a, k), zero(b, a));
    const Value less = b.sub(states[0], outer(b, factors, known));
    // What is not finite is to come into these rows alone.
    const Value rest = b.where(as_rows(b, to_come), less, states[0]);
    return std::vector<Value>{
        b.where(as_rows(b, is_at(b, n, k)), onnx::unsqueeze(b, known, {-2}), rest)};
  });
  return end[0];
}

struct CholeskyParam {
  bool lower = true;

  static void declare(AttrDeclarer<CholeskyParam>& d) {
    d.field("lower", &CholeskyParam::lower).help("L with A = L L^T, else U with A = U^T U");
  }
};

template <typename P>
void infer_as_input(const P& /*p*/, InferContext& c) {
  infer_square(c);
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
}

void translate_potrf(const CholeskyParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Value a = t.input(0);
  t.set_output(0, p.lower ? cholesky(b, a) : transposed(b, cholesky(b, transposed(b, a))));
}

// The inverse of L L^T is Y^T Y, where L Y = 1.
void translate_potri(const CholeskyParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Value a = p.lower ? t.input(0) : transposed(b, t.input(0));
  const Value identity = onnx::expand(b, eye(b, a, num_columns(b, a)), b.shape(a));
  const Value y = solve_triangle(b, a, identity, true);
  t.set_output(0, product(b, transposed(b, y), y));
}

// All eight cases are A X = B: X A = B is that of the transposes.
void translate_trsm(const TriangleParam& p, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  if (p.alpha == 0) {  // BLAS then does not look at A.
    return t.set_output(0, onnx::fill(b, t.output_type(0).dtype, 0, t.output_shape(0)));
  }
  Value x = t.input(1);
  if (p.alpha != 1) x = b.mul(x, b.scalar(b.dtype(x), p.alpha));
  if (p.rightside) x = transposed(b, x);
  const bool swap = p.transpose != p.rightside;
  const Value a = swap ? transposed(b, t.input(0)) : t.input(0);
  const Value solution = solve_triangle(b, a, x, p.lower != swap);
  t.set_output(0, p.rightside ? transposed(b, solution) : solution);
}

// Brings the row with the largest element of column k, of those from row k on, to row k. Gives the
// rows' number too, with one axis of size 1.
std::pair<Value, Value> with_pivot(Builder& b, Value x, Value k) {
  const Dim n = num_rows(b, x);
  const Value numbers = counting(b, n);
  const Value is_before = b.binary("Less", numbers, k);
  const Value magnitudes = b.unary("Abs", column(b, x, k));
  // A NaN counts as large: it is to become part of the result.
  const Value known =
      b.where(b.unary("IsNaN", magnitudes),
              b.scalar(b.dtype(x), std::numeric_limits<double>::infinity()), magnitudes);
  const Value sizes = b.where(is_before, b.scalar(b.dtype(x), -1), known);
  const Value pivot = onnx::arg_reduce(b, "ArgMax", sizes, -1, true);
  const Value swapped = b.where(b.binary("Equal", numbers, pivot), k, numbers);
  const Value order = b.where(is_at(b, n, k), pivot, swapped);
  const std::int64_t batch_dims = static_cast<std::int64_t>(b.shape(x).rank()) - 2;
  const Value rows = b.emit("GatherND", {x, onnx::unsqueeze(b, order, {-1})},
                            {{"batch_dims", batch_dims}}, b.type(x));
  return {rows, pivot};
}

// Gauss and Jordan on [A 1], with pivots.
void translate_inverse(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Value a = t.input(0);
  const Dim n = num_columns(b, a);
  const Value identity = onnx::expand(b, eye(b, a, n), b.shape(a));
  const auto end = counted_loop(
      b, n, {b.concat({a, identity}, -1)}, [&](Value k, const std::vector<Value>& states) {
        const Value x = with_pivot(b, states[0], k).first;
        const Value unit = b.div(row(b, x, k), diagonal_element(b, x, k));
        const Value here = is_at(b, n, k);
        const Value factors = b.where(here, zero(b, x), column(b, x, k));
        const Value rest = b.sub(x, outer(b, factors, unit));
        return std::vector<Value>{b.where(as_rows(b, here), onnx::unsqueeze(b, unit, {-2}), rest)};
      });
  const auto axis = static_cast<std::int64_t>(b.shape(a).rank()) - 1;
  t.set_output(0, onnx::slice(b, end[0], {{axis, n, n + n, 1}}, b.shape(a)));
}

struct SignedLog {
  Value sign;
  Value log;
};

// Of the determinants, from the LU factorisation with pivots; one axis of size 1 in place of a
// matrix.
SignedLog signed_log_determinant(Builder& b, Value a) {
  const Dim n = num_columns(b, a);
  Shape signs = b.shape(a);
  signs[signs.rank() - 2] = 1;
  signs = Shape(std::vector<Dim>(signs.dims().begin(), signs.dims().end() - 1));
  const Value start = onnx::expand(b, onnx::unsqueeze(b, one(b, a), {0}), signs);
  const auto end = counted_loop(b, n, {a, start}, [&](Value k, const std::vector<Value>& states) {
    const auto [x, pivot] = with_pivot(b, states[0], k);
    const Value top = diagonal_element(b, x, k);
    // Under a pivot of 0 there are zeros only.
    const Value divisor = b.where(b.binary("Equal", top, zero(b, x)), one(b, x), top);
    const Value factors = b.div(column(b, x, k), divisor);
    const Value less = b.sub(x, outer(b, factors, row(b, x, k)));
    const Value rest = b.where(as_rows(b, is_after(b, n, k)), less, x);
    const Value sign = b.where(b.binary("Equal", pivot, k), one(b, x), b.scalar(b.dtype(x), -1));
    return std::vector<Value>{rest, b.mul(states[1], sign)};
  });
  const Value pivots = diagonal(b, end[0]);
  // The sign of a NaN is 0.
  const Value known = b.where(b.unary("IsNaN", pivots), zero(b, a), b.unary("Sign", pivots));
  const Value signs_of = onnx::reduce(b, "ReduceProd", known, {-1}, true);
  const Value logs = b.unary("Log", b.unary("Abs", pivots));
  return {b.mul(end[1], signs_of), onnx::reduce(b, "ReduceSum", logs, {-1}, true)};
}

void infer_determinant(const NoParam& /*p*/, InferContext& c) {
  infer_square(c);
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  dims.resize(dims.size() - 2);
  if (dims.empty() && !c.np_shape()) dims.emplace_back(1);
  for (std::size_t i = 0; i < c.num_outputs(); ++i) c.set_output_shape(i, Shape(dims));
}

// As MXNet does, by way of the logarithm: where that overflows, so does this.
void translate_det(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const auto [sign, log] = signed_log_determinant(b, t.input(0));
  t.set_output(0, onnx::reshape(b, b.mul(sign, b.unary("Exp", log)), t.output_shape(0)));
}

void translate_slogdet(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  const auto [sign, log] = signed_log_determinant(t.b, t.input(0));
  t.set_output(0, onnx::reshape(t.b, sign, t.output_shape(0)));
  t.set_output(1, onnx::reshape(t.b, log, t.output_shape(1)));
}

void infer_gelqf(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, c.output_shape(0));
  const Shape& a = c.input_shape(0);
  if (!a.known_rank()) return;
  const std::size_t rank = a.rank();
  if (rank < 2) c.fail_input(0, "matrices");
  if (a[rank - 2].is_constant() && a[rank - 1].is_constant() &&
      a[rank - 2].value() > a[rank - 1].value()) {
    c.fail_input(0, "matrices with as many columns as rows, or more");
  }
  c.set_output_shape(0, a);
  Shape lower = a;
  lower[rank - 1] = a[rank - 2];
  c.set_output_shape(1, lower);
}

// Householder's reflections of the columns, of A and of a unit matrix below it, which becomes Q^T.
// LAPACK's signs: a reflected row's first element gets the sign that it had not, and a row that has
// nothing to reflect away stays as it is.
void translate_gelqf(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const Value a = t.input(0);
  const Dim m = num_rows(b, a);
  const Dim n = num_columns(b, a);
  Shape square = b.shape(a);
  square[square.rank() - 2] = n;
  const Value identity = onnx::expand(b, eye(b, a, n), square);
  const auto end = counted_loop(
      b, m, {b.concat({a, identity}, -2)}, [&](Value k, const std::vector<Value>& states) {
        const Value x = states[0];
        const Value here = row(b, x, k);
        const Value first = diagonal_element(b, x, k);
        const Value rest = b.where(is_after(b, n, k), here, zero(b, x));
        const Value sum = onnx::reduce(b, "ReduceSum", b.mul(rest, rest), {-1}, true);
        const Value is_done = b.binary("Equal", sum, zero(b, x));
        const Value norm = b.unary("Sqrt", b.add(b.mul(first, first), sum));
        const Value is_negative = b.binary("Less", first, zero(b, x));
        const Value beta = b.where(is_negative, norm, b.unary("Neg", norm));
        const Value tau = b.where(is_done, zero(b, x), b.div(b.sub(beta, first), beta));
        const Value divisor = b.where(is_done, one(b, x), b.sub(first, beta));
        const Value v = b.where(is_at(b, n, k), one(b, x), b.div(rest, divisor));
        const Value sums =
            onnx::reduce(b, "ReduceSum", b.mul(x, onnx::unsqueeze(b, v, {-2})), {-1}, false);
        return std::vector<Value>{b.sub(x, outer(b, b.mul(sums, tau), v))};
      });
  const auto axis = static_cast<std::int64_t>(b.shape(a).rank()) - 1;
  Shape upper = b.shape(a);
  upper[upper.rank() - 1] = m;
  upper[upper.rank() - 2] = n;
  const Value q = onnx::slice(b, end[0], {{axis - 1, m, m + n, 1}, {axis, 0, m, 1}}, upper);
  t.set_output(0, transposed(b, q));
  const Value l = onnx::slice(b, end[0], {{axis - 1, 0, m, 1}, {axis, 0, m, 1}}, t.output_shape(1));
  t.set_output(1, triangle(b, l, true));
}

constexpr std::string_view kNotFiniteMatrix =
    "Of a matrix with elements that are not finite, or whose products overflow, the result is NaN; "
    "MXNet's may be infinite, or 0.";

}  // namespace

void register_linalg_factors(Registry& r) {
  const std::vector<InputDef> one_input{{"A", InputRole::kData}};
  r.add<CholeskyParam>({"_linalg_potrf", "linalg_potrf"})
      .summary("Cholesky's factors of symmetric positive definite matrices.")
      .inputs(one_input)
      .infer(infer_as_input<CholeskyParam>)
      .translate(translate_potrf)
      .note("Of a matrix that is not positive definite the result is NaN; MXNet stops there.");
  r.add<CholeskyParam>({"_linalg_potri", "linalg_potri"})
      .summary("The inverses of matrices of which the Cholesky factors are given.")
      .inputs(one_input)
      .infer(infer_as_input<CholeskyParam>)
      .translate(translate_potri)
      .note(
          "Of a singular factor, or one with elements that are not finite, more elements of the "
          "result are NaN than in MXNet.");
  r.add<TriangleParam>({"_linalg_trsm", "linalg_trsm"})
      .summary("X of A X = alpha B, or of X A = alpha B, where A is a triangle.")
      .inputs({{"A", InputRole::kData}, {"B", InputRole::kData}})
      .infer(infer_triangle)
      .translate(translate_trsm)
      .note(
          "Where A is singular (a 0 on its diagonal), or an element of A or B is infinite, NaN or "
          "so large that products overflow, MXNet's X is infinite or NaN in some elements, and "
          "here in all of them.");
  r.add<NoParam>({"_linalg_gelqf", "linalg_gelqf"})
      .summary("Q and L of A = L Q.")
      .inputs(one_input)
      .outputs({"output0", "output1"})
      .infer(infer_gelqf)
      .translate(translate_gelqf)
      .note(
          "Of a matrix with elements that are not finite, or whose squares overflow, the result is "
          "not defined.");
  r.add<NoParam>({"_linalg_inverse", "linalg_inverse", "_npi_inv"})
      .summary("The inverses of square matrices.")
      .inputs(one_input)
      .infer(infer_as_input<NoParam>)
      .translate(translate_inverse)
      .note("Of a singular matrix the result is not finite; MXNet stops there.");
  r.add<NoParam>({"_linalg_det", "linalg_det", "_npi_det"})
      .summary("The determinants of square matrices.")
      .inputs(one_input)
      .infer(infer_determinant)
      .translate(translate_det)
      .note(std::string(kNotFiniteMatrix));
  r.add<NoParam>({"_linalg_slogdet", "linalg_slogdet", "_npi_slogdet"})
      .summary("The signs of determinants, and the logarithms of their magnitudes.")
      .inputs(one_input)
      .outputs({"output0", "output1"})
      .infer(infer_determinant)
      .translate(translate_slogdet)
      .note(std::string(kNotFiniteMatrix));
}

}  // namespace mx2onnx
