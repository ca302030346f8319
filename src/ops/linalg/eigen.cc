// _linalg_syevd: eigenvalues and eigenvectors of symmetric matrices (src/operator/tensor/la_op.cc).
// MXNet leaves them to LAPACK; here they are found by Jacobi's rotations in float64, so that
// float32 results are as exact as float32 is. A step rotates each row i with row (step - i) modulo
// n, which are all pairs after n steps.
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// Rounds through all pairs. Convergence is quadratic: some ten are enough for any matrix.
constexpr std::int64_t kMostRounds = 40;
// Sum of the squares beside the diagonal, relative to that of the diagonal, that ends the loop.
constexpr double kConverged = 1e-31;

Value matmul(Builder& b, Value left, Value right) {
  return b.emit("MatMul", {left, right}, {}, b.type(left));
}

Value number(Builder& b, double value) { return b.scalar(DType::kFloat64, value); }

struct Eigen {
  Builder& b;
  Dim n;

  Value sum(Value x, const onnx::Ints& axes, bool keepdims) const {
    return onnx::reduce(b, "ReduceSum", x, axes, keepdims);
  }
  Value identity() const { return b.cast(position_mask(b, "Equal", n, n), DType::kFloat64); }

  // The orthogonal matrices that make element (i, partner(i)) of each matrix 0.
  Value rotations(Value a, Value step) const {
    const Value rows = counting(b, n);
    const Value partner = b.binary("Mod", b.sub(step, rows), scalar_size(b, n));
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
    const Value is_left = b.binary("Less", b.mul(on, number(b, kConverged)), beside);
    const Value flag = b.cast(is_left, DType::kInt32);
    onnx::Ints all;
    for (std::size_t i = 0; i < b.shape(flag).rank(); ++i)
      all.push_back(static_cast<std::int64_t>(i));
    return b.cast(onnx::reduce(b, "ReduceMax", flag, all, false), DType::kBool);
  }
};

void infer_syevd(const NoParam& /*p*/, InferContext& c) {
  infer_square(c);
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  c.set_output_shape(0, c.input_shape(0));
  dims.pop_back();
  c.set_output_shape(1, Shape(std::move(dims)));
}

// The sign of each eigenvector makes its largest element positive, the first of equal ones.
Value with_signs(Builder& b, Value vectors) {
  const Value largest = onnx::arg_reduce(b, "ArgMax", b.unary("Abs", vectors), -1, true);
  Shape one = b.shape(vectors);
  one[one.rank() - 1] = 1;
  const Value element =
      b.emit("GatherElements", {vectors, largest}, {{"axis", -1}}, {b.dtype(vectors), one});
  const Value is_negative = b.binary("Less", element, number(b, 0));
  return b.mul(vectors, b.where(is_negative, number(b, -1), number(b, 1)));
}

void translate_syevd(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  const Dim n = t.input_shape(0).dims().back();
  const Eigen eigen{b, n};
  // The upper triangle is not looked at.
  const Value input = b.cast(t.input(0), DType::kFloat64);
  const Value a = b.where(position_mask(b, "Less", n, n), transposed(b, input), input);
  const Value start = onnx::expand(b, eigen.identity(), b.shape(a));
  const auto end = counted_loop_while(
      b, n * kMostRounds, {a, start}, [&](Value step, const std::vector<Value>& states) {
        const Value rotations = eigen.rotations(states[0], step);
        const Value turned = matmul(b, matmul(b, transposed(b, rotations), states[0]), rotations);
        return std::vector<Value>{eigen.goes_on(turned), turned, matmul(b, states[1], rotations)};
      });
  const auto [values, order] = onnx::top_k(b, diagonal(b, end[0]), n, -1, false);
  const auto batch_dims = static_cast<std::int64_t>(t.input_rank(0)) - 2;
  const Value vectors = b.emit("GatherND", {transposed(b, end[1]), onnx::unsqueeze(b, order, {-1})},
                               {{"batch_dims", batch_dims}}, b.type(a));
  t.set_output(0, b.cast(with_signs(b, vectors), dtype));
  t.set_output(1, b.cast(values, dtype));
}

}  // namespace

void register_linalg_eigen(Registry& r) {
  r.add<NoParam>({"_linalg_syevd"})
      .summary("Eigenvectors, as rows, and eigenvalues of symmetric matrices, ascending.")
      .inputs({{"A", InputRole::kData}})
      .outputs({"output0", "output1"})
      .infer(infer_syevd)
      .translate(translate_syevd)
      .note(
          "Where two eigenvalues are equal, or the two largest elements of an eigenvector have one "
          "magnitude, eigenvectors are those of any algorithm, and may be others than MXNet's.")
      .note("Of a matrix with elements that are not finite the result is not defined.");
}

}  // namespace mx2onnx
