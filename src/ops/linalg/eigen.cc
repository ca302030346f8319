// Eigenvalues and eigenvectors of symmetric matrices: _linalg_syevd (src/operator/tensor/la_op.cc),
// eigh and eigvalsh of NumPy's interface (src/operator/numpy/linalg/np_eig.cc).
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/matrices.h"
#include "ops/linalg/jacobi.h"
#include "ops/linalg/np_types.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct EighParam {
  enum class Triangle { kLower, kUpper };
  Triangle triangle = Triangle::kLower;

  static void declare(AttrDeclarer<EighParam>& d) {
    d.one_of("UPLO", &EighParam::triangle, {"L", "U"}).help("the triangle that is looked at");
  }
};

// The output that has the eigenvalues, and the other one.
void infer_eigen(InferContext& c, std::size_t values, std::size_t vectors) {
  const Shape& found = c.output_shape(values);
  if (found.known_rank() && found.rank() > 0) {
    auto square = found.dims();
    square.push_back(square.back());
    c.set_input_shape(0, Shape(std::move(square)));
  }
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  if (c.num_outputs() > 1) c.set_output_shape(vectors, c.input_shape(0));
  dims.pop_back();
  c.set_output_shape(values, Shape(std::move(dims)));
}

void infer_syevd(const NoParam& /*p*/, InferContext& c) {
  infer_square(c);
  infer_eigen(c, 1, 0);
}

void infer_eigh(const EighParam& /*p*/, InferContext& c) {
  infer_square_shape(c);
  infer_linalg_dtypes(c);
  infer_eigen(c, 0, 1);
}

// Symmetric matrices whose one triangle is not looked at.
SymmetricEigen eigen_of_triangle(Translation& t, bool lower) {
  Builder& b = t.b;
  return symmetric_eigen(b, symmetric(b, b.cast(t.input(0), DType::kFloat64), lower));
}

void translate_syevd(const NoParam& /*p*/, Translation& t) {
  if (!expect_real(t)) return;
  const DType dtype = t.input_type(0).dtype;
  const SymmetricEigen eigen = eigen_of_triangle(t, true);
  t.set_output(0, t.b.cast(eigen.vectors, dtype));
  t.set_output(1, t.b.cast(eigen.values, dtype));
}

void translate_eigh(const EighParam& p, Translation& t) {
  if (!expect_linalg_type(t)) return;
  const DType dtype = t.output_type(0).dtype;
  const SymmetricEigen eigen = eigen_of_triangle(t, p.triangle == EighParam::Triangle::kLower);
  t.set_output(0, t.b.cast(eigen.values, dtype));
  if (t.num_outputs() > 1) t.set_output(1, t.b.cast(transposed(t.b, eigen.vectors), dtype));
}

constexpr std::string_view kEqualValuesNote =
    "Where two eigenvalues are equal, or the two largest elements of an eigenvector have one "
    "magnitude, eigenvectors are those of any algorithm, and may be others than MXNet's.";
constexpr std::string_view kNotFiniteNote =
    "Of a matrix with elements that are not finite the result is not defined.";

}  // namespace

void register_linalg_eigen(Registry& r) {
  r.add<NoParam>({"_linalg_syevd"})
      .summary("Eigenvectors, as rows, and eigenvalues of symmetric matrices, ascending.")
      .inputs({{"A", InputRole::kData}})
      .outputs({"output0", "output1"})
      .infer(infer_syevd)
      .translate(translate_syevd)
      .note(std::string(kEqualValuesNote))
      .note(std::string(kNotFiniteNote));
  r.add<EighParam>({"_npi_eigh"})
      .summary("Eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices.")
      .inputs({{"A", InputRole::kData}})
      .outputs({"output0", "output1"})
      .infer(infer_eigh)
      .translate(translate_eigh)
      .note(std::string(kEqualValuesNote))
      .note(std::string(kNotFiniteNote));
  r.add<EighParam>({"_npi_eigvalsh"})
      .summary("Eigenvalues of symmetric matrices, ascending.")
      .inputs({{"A", InputRole::kData}})
      .infer(infer_eigh)
      .translate(translate_eigh)
      .note(std::string(kNotFiniteNote));
}

}  // namespace mx2onnx
