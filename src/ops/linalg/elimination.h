// Algorithms on batches of matrices that go through the columns: Cholesky's, Gauss's and
// Householder's. Matrices are the last two axes of float32 or float64 values.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

/// The product, of batches or of a batch and one matrix.
onnx::Value matrix_product(onnx::Builder& b, onnx::Value left, onnx::Value right);

/// Unit matrices of the shape of the given square ones.
onnx::Value batch_of_identities(onnx::Builder& b, onnx::Value like);

/// L of A = L L^T; reads the lower triangles. NaN where A is not positive definite.
onnx::Value cholesky(onnx::Builder& b, onnx::Value a);

/// X of A X = B, which comes as `x`; reads the given triangle of A.
onnx::Value solve_triangle(onnx::Builder& b, onnx::Value a, onnx::Value x, bool lower);

/// X of A X = B, both of one batch. Not finite where A is singular.
onnx::Value solve(onnx::Builder& b, onnx::Value a, onnx::Value right);
onnx::Value inverse(onnx::Builder& b, onnx::Value a);

struct SignedLog {
  onnx::Value sign;
  onnx::Value log;
};
/// Of the determinants; one axis of size 1 in place of a matrix.
SignedLog signed_log_determinant(onnx::Builder& b, onnx::Value a);

/// A = L Q, of matrices (…, m, n) with r = min(m, n).
struct LowerOrthogonal {
  onnx::Value lower;       ///< (…, m, r)
  onnx::Value orthogonal;  ///< (…, r, n), with orthonormal rows; the signs are LAPACK's.
};
LowerOrthogonal lower_orthogonal(onnx::Builder& b, onnx::Value a);

}  // namespace mx2onnx
