// See jacobi.h. A step rotates each row i with row (step - i) modulo n, which are all pairs after n
// steps.
#include "ops/linalg/jacobi.h"

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/matrices.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

// Rounds through all pairs. Convergence is quadratic: some ten are enough for any matrix.
constexpr std::int64_t kMostRounds = 40;
// Sum of the squares beside the diagonal, relative to that of the diagonal, that ends the loop.
constexpr double kConverged = 1e-31;
// Square of the cosine between two rows that are orthogonal.
constexpr double kOrthogonal = 1e-28;

// Of batches; square ones unless the shape is given.
Value matmul(Builder& b, Value left, Value right) {
  return b.emit("MatMul", {left, right}, {}, b.type(left));
}
Value matmul(Builder& b, Value left, Value right, const Shape& shape) {
  return b.emit("MatMul", {left, right}, {}, {b.dtype(left), shape});
}

Value number(Builder& b, double value) { return b.scalar(DType::kFloat64, value); }

struct Jacobi {
  Builder& b;
  Dim n;

  Value sum(Value x, const onnx::Ints& axes, bool keepdims) const {
    return onnx::reduce(b, "ReduceSum", x, axes, keepdims);
  }
  Value identity() const { return b.cast(position_mask(b, "Equal", n, n), DType::kFloat64); }

  // The orthogonal matrices that make element (i, partner(i)) of each matrix 0.
  Value rotations(Value a, Value step) const {
    const Value rows = counting(b, n);
    const Value partner =
        b.binary("Mod", b.sub(step, rows), scalar_size(b, n == Dim(0) ? Dim(1) : n));
    const Value main = diagonal(b, a);
    const Value others = b.gather(main, partner, -1);
    // The element that two rows share. A row that is its own partner shares none.
    const Value is_pair = b.unary("Not", b.binary("Equal", rows, partner));
    const Value shared = b.where(is_pair, diagonal(b, b.gather(a, partner, -1)), number(b, 0));
    const Value is_zero = b.binary("Equal", shared, number(b, 0));
    const Value divisor = b.where(is_zero, number(b, 1), b.mul(shared, number(b, 2)));
    const Value cotangent = b.div(b.sub(others, main), divisor);
    // The smaller root of t^2 + 2 cotangent t - 1, for the two rows with opposite signs.
    const Value magnitude = b.unary("Abs", cotangent);
    const Value root = b.unary("Sqrt", b.add(b.mul(cotangent, cotangent), number(b, 1)));
    const Value is_first = b.cast(b.binary("Less", rows, partner), DType::kFloat64);
    const Value of_order = b.sub(b.mul(is_first, number(b, 2)), number(b, 1));
    const Value sign =
        b.where(b.binary("Equal", cotangent, number(b, 0)), of_order, b.unary("Sign", cotangent));
    const Value tangent = b.where(is_zero, number(b, 0), b.div(sign, b.add(magnitude, root)));
    const Value cosine =
        b.unary("Reciprocal", b.unary("Sqrt", b.add(b.mul(tangent, tangent), number(b, 1))));
    const Value sine = b.mul(tangent, cosine);
    const Value at_partner =
        b.cast(b.binary("Equal", onnx::unsqueeze(b, rows, {1}), partner), DType::kFloat64);
    return b.sub(b.mul(identity(), onnx::unsqueeze(b, cosine, {-2})),
                 b.mul(at_partner, onnx::unsqueeze(b, sine, {-2})));
  }

  // True while one of the matrices is not diagonal enough.
  Value goes_on(Value a) const {
    const Value squares = b.mul(a, a);
    const Value on = sum(b.mul(squares, identity()), {-2, -1}, false);
    const Value beside =
        sum(b.where(position_mask(b, "Equal", n, n), number(b, 0), squares), {-2, -1}, false);
    return any(b.binary("Less", b.mul(on, number(b, kConverged)), beside));
  }
  // True while two rows of a matrix, whose products with each other these are, are not orthogonal
  // enough for their lengths.
  Value has_angles(Value products) const {
    const Value squares = diagonal(b, products);
    const Value limits = b.mul(outer(b, squares, squares), number(b, kOrthogonal));
    const Value beside = b.where(position_mask(b, "Equal", n, n), number(b, 0), products);
    return any(b.binary("Less", limits, b.mul(beside, beside)));
  }

 private:
  Value any(Value flags) const {
    const Value flag = b.cast(flags, DType::kInt32);
    onnx::Ints all;
    for (std::size_t i = 0; i < b.shape(flag).rank(); ++i)
      all.push_back(static_cast<std::int64_t>(i));
    return b.cast(onnx::reduce(b, "ReduceMax", flag, all, false), DType::kBool);
  }
};

// The rows of matrices in the given order.
Value rows_in_order(Builder& b, Value x, Value order) {
  const auto batch_dims = static_cast<std::int64_t>(b.shape(x).rank()) - 2;
  return b.emit("GatherND", {x, onnx::unsqueeze(b, order, {-1})}, {{"batch_dims", batch_dims}},
                b.type(x));
}

// -1 for each row whose largest element, the first of equal ones, is negative; else 1.
Value signs_of_rows(Builder& b, Value vectors) {
  const Value largest = onnx::arg_reduce(b, "ArgMax", b.unary("Abs", vectors), -1, true);
  Shape one = b.shape(vectors);
  one[one.rank() - 1] = 1;
  const Value element =
      b.emit("GatherElements", {vectors, largest}, {{"axis", -1}}, {b.dtype(vectors), one});
  const Value is_negative = b.binary("Less", element, number(b, 0));
  return b.where(is_negative, number(b, -1), number(b, 1));
}

}  // namespace

SymmetricEigen symmetric_eigen(Builder& b, Value a) {
  const Dim n = b.shape(a).dims().back();
  const Jacobi jacobi{b, n};
  const Value start = onnx::expand(b, jacobi.identity(), b.shape(a));
  const auto end = counted_loop_while(
      b, n * kMostRounds, {a, start}, [&](Value step, const std::vector<Value>& states) {
        const Value rotations = jacobi.rotations(states[0], step);
        const Value turned = matmul(b, matmul(b, transposed(b, rotations), states[0]), rotations);
        return std::vector<Value>{jacobi.goes_on(turned), turned, matmul(b, states[1], rotations)};
      });
  const auto [values, order] = onnx::top_k(b, diagonal(b, end[0]), n, -1, false);
  const Value vectors = rows_in_order(b, transposed(b, end[1]), order);
  return {values, b.mul(vectors, signs_of_rows(b, vectors))};
}

// Rows are rotated until they are orthogonal: their lengths are the singular values.
SingularValues singular_values(Builder& b, Value a) {
  const Shape shape = b.shape(a);
  const Dim m = shape[shape.rank() - 2];
  Shape square = shape;
  square[shape.rank() - 1] = m;
  const Jacobi jacobi{b, m};
  const Value start = onnx::expand(b, jacobi.identity(), square);
  const auto products = [&](Value x) { return matmul(b, x, transposed(b, x), square); };
  const auto end = counted_loop_while(
      b, m * kMostRounds, {a, start}, [&](Value step, const std::vector<Value>& states) {
        const Value rotations = jacobi.rotations(products(states[0]), step);
        const Value rows = matmul(b, transposed(b, rotations), states[0], shape);
        return std::vector<Value>{jacobi.has_angles(products(rows)), rows,
                                  matmul(b, states[1], rotations)};
      });
  const Value squares = onnx::reduce(b, "ReduceSum", b.mul(end[0], end[0]), {-1}, false);
  const auto [values, order] = onnx::top_k(b, b.unary("Sqrt", squares), m, -1, true);
  const Value length = onnx::unsqueeze(b, values, {-1});
  const Value divisor = b.where(b.binary("Equal", length, number(b, 0)), number(b, 1), length);
  const Value right = b.div(rows_in_order(b, end[0], order), divisor);
  const Value signs = signs_of_rows(b, right);
  const Value left = b.mul(rows_in_order(b, transposed(b, end[1]), order), signs);
  return {transposed(b, left), values, b.mul(right, signs)};
}

}  // namespace mx2onnx
