// What the operators have in common that keep the elements and their order and change the shape.
#pragma once

#include <string_view>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// Fails with kModel: the codes `shape` do not apply to an input of this shape.
[[noreturn]] void fail_reshape(std::string_view shape, const Shape& from, std::string_view why);

/// If one size of `shape`, which is what is known of the first input's, is unknown, or is a free
/// size, it becomes what makes the number of elements `count`.
void infer_from_count(InferContext& c, const Shape& shape, const Dim& count);

/// Fails with kModel unless the first input has as many elements as the first output; a free size
/// that the result leaves out becomes 1.
void expect_same_count(InferContext& c);

/// The elements of a small integer vector stay what they are under another shape.
void keep_value(InferContext& c);

/// A shape of at least `rank` dimensions, 1 to 3, as NumPy's atleast_nd has it: a vector is a row.
Shape with_rank(const Shape& shape, std::size_t rank);

/// The translation: the first input in the shape of the first output.
void to_output_shape(Translation& t);

}  // namespace mx2onnx
