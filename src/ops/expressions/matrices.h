// Loops over the rows or columns of matrices, for the algorithms that ONNX has no operator for. A
// matrix is the last two axes of a value; all axes before are a batch.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "ops/expressions/common.h"

namespace mx2onnx {

/// Of trmm and trsm.
struct TriangleParam {
  bool transpose = false;
  bool rightside = false;
  bool lower = true;
  double alpha = 1;

  static void declare(AttrDeclarer<TriangleParam>& d);
};
/// A is square, and stands left or right of B.
void infer_triangle(const TriangleParam& p, InferContext& c);

/// The first input is a batch of square matrices; with infer_square the dtypes are one, too.
void infer_square_shape(InferContext& c);
void infer_square(InferContext& c);

/// The lower or the upper triangles of matrices, with 0 in the other ones whatever is there.
onnx::Value triangle(onnx::Builder& b, onnx::Value x, bool lower);

/// A size as an int64 scalar.
onnx::Value scalar_size(onnx::Builder& b, const Dim& size);

/// True (bool, of shape (rows, columns)) where `op_type`, "Equal" or "Less", holds of a row's
/// number and that of a column less `offset`.
onnx::Value position_mask(onnx::Builder& b, std::string_view op_type, const Dim& rows,
                          const Dim& columns, std::int64_t offset = 0);

/// The matrices with their last two axes swapped.
onnx::Value transposed(onnx::Builder& b, onnx::Value x);

/// u v^T for vectors along the last axis.
onnx::Value outer(onnx::Builder& b, onnx::Value u, onnx::Value v);

/// Row or column `i` (an int64 scalar) of the matrices, as vectors along the last axis.
onnx::Value row(onnx::Builder& b, onnx::Value x, onnx::Value i);
onnx::Value column(onnx::Builder& b, onnx::Value x, onnx::Value i);
/// Element (i, i), with one axis of size 1 in place of the matrix.
onnx::Value diagonal_element(onnx::Builder& b, onnx::Value x, onnx::Value i);
/// The diagonals of square matrices.
onnx::Value diagonal(onnx::Builder& b, onnx::Value x);

/// One step of a loop: what becomes of the states in step `i`, an int64 scalar.
using LoopStep =
    std::function<std::vector<onnx::Value>(onnx::Value i, const std::vector<onnx::Value>& states)>;
/// Does the step for 0, 1, … count - 1, and gives the states after it.
std::vector<onnx::Value> counted_loop(onnx::Builder& b, const Dim& count,
                                      const std::vector<onnx::Value>& states, const LoopStep& step);
/// The same as long as the first result of the step, a bool scalar, is true.
std::vector<onnx::Value> counted_loop_while(onnx::Builder& b, const Dim& count,
                                            const std::vector<onnx::Value>& states,
                                            const LoopStep& step);

}  // namespace mx2onnx
