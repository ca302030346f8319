// Jacobi's methods for eigenvalues and singular values of batches of matrices, which ONNX has no
// operator for and MXNet leaves to LAPACK. In float64, so that float32 results are as exact as
// float32 is.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

struct SymmetricEigen {
  onnx::Value values;   ///< (…, n), ascending.
  onnx::Value vectors;  ///< (…, n, n), as rows; the largest element of each is positive.
};
/// Of symmetric matrices (…, n, n) of float64.
SymmetricEigen symmetric_eigen(onnx::Builder& b, onnx::Value a);

/// A = left diag(values) right.
struct SingularValues {
  onnx::Value left;    ///< (…, m, m), orthogonal.
  onnx::Value values;  ///< (…, m), descending.
  /// (…, m, n). The rows are orthonormal and the largest element of each is positive; those of
  /// values of 0 are of no use.
  onnx::Value right;
};
/// Of matrices (…, m, n) of float64; of the m values n at most are not 0.
SingularValues singular_values(onnx::Builder& b, onnx::Value a);

}  // namespace mx2onnx
