// See elimination.h. Each is a Loop over the columns that does LAPACK's unblocked algorithm to all
// matrices of the batch at once.
#include "ops/linalg/elimination.h"

#include <limits>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/matrices.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

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

}  // namespace

Value matrix_product(Builder& b, Value left, Value right) {
  TensorType type = b.type(left);
  type.shape = b.shape(left).rank() < b.shape(right).rank() ? b.shape(right) : b.shape(left);
  type.shape[type.shape.rank() - 2] = num_rows(b, left);
  type.shape[type.shape.rank() - 1] = num_columns(b, right);
  return b.emit("MatMul", {left, right}, {}, std::move(type));
}

Value batch_of_identities(Builder& b, Value like) {
  return onnx::expand(b, eye(b, like, num_columns(b, like)), b.shape(like));
}

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

// Row after row of X is found, and taken out of the
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

// Gauss and Jordan on [A B], with pivots.
Value solve(Builder& b, Value a, Value right) {
  const Dim n = num_columns(b, a);
  const Dim count = num_columns(b, right);
  const auto end = counted_loop(
      b, n, {b.concat({a, right}, -1)}, [&](Value k, const std::vector<Value>& states) {
        const Value x = with_pivot(b, states[0], k).first;
        const Value unit = b.div(row(b, x, k), diagonal_element(b, x, k));
        const Value here = is_at(b, n, k);
        const Value factors = b.where(here, zero(b, x), column(b, x, k));
        const Value rest = b.sub(x, outer(b, factors, unit));
        return std::vector<Value>{b.where(as_rows(b, here), onnx::unsqueeze(b, unit, {-2}), rest)};
      });
  const auto axis = static_cast<std::int64_t>(b.shape(a).rank()) - 1;
  return onnx::slice(b, end[0], {{axis, n, n + count, 1}}, b.shape(right));
}

Value inverse(Builder& b, Value a) { return solve(b, a, batch_of_identities(b, a)); }

// From the LU factorisation with pivots.
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

// Householder's reflections of the columns, of A and of a unit matrix below it, which becomes Q^T.
// LAPACK's signs: a reflected row's first element gets the sign that it had not, and a row that has
// nothing to reflect away stays as it is.
LowerOrthogonal lower_orthogonal(Builder& b, Value a) {
  const Dim m = num_rows(b, a);
  const Dim n = num_columns(b, a);
  const Dim r = min(m, n);
  Shape square = b.shape(a);
  square[square.rank() - 2] = n;
  const Value identity = onnx::expand(b, eye(b, a, n), square);
  const auto end = counted_loop(
      b, r, {b.concat({a, identity}, -2)}, [&](Value k, const std::vector<Value>& states) {
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
  Shape lower = b.shape(a);
  lower[lower.rank() - 1] = r;
  Shape columns = lower;
  columns[columns.rank() - 2] = n;
  const Value q = onnx::slice(b, end[0], {{axis - 1, m, m + n, 1}, {axis, 0, r, 1}}, columns);
  const Value l = onnx::slice(b, end[0], {{axis - 1, 0, m, 1}, {axis, 0, r, 1}}, lower);
  return {triangle(b, l, true), transposed(b, q)};
}

}  // namespace mx2onnx
