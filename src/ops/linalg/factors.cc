// Factorisations, inverses and determinants of batches of matrices
// (src/operator/tensor/la_op.cc, src/operator/numpy/linalg/np_potrf.cc), which MXNet leaves to
// LAPACK.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"
#include "ops/linalg/elimination.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

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
  const Value y = solve_triangle(b, a, batch_of_identities(b, a), true);
  t.set_output(0, matrix_product(b, transposed(b, y), y));
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

void translate_inverse(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  t.set_output(0, inverse(t.b, t.input(0)));
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

void translate_gelqf(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  const auto [lower, orthogonal] = lower_orthogonal(t.b, t.input(0));
  t.set_output(0, orthogonal);
  t.set_output(1, lower);
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
  r.add<CholeskyParam>({"_npi_cholesky"})
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
