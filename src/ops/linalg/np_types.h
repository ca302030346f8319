// Element types of NumPy's linear algebra (src/operator/numpy/linalg): results are float32 where
// all inputs are, and else float64.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// Sets the dtypes of the outputs, all or the given ones, by those of the inputs.
void infer_linalg_dtypes(InferContext& c);
void infer_linalg_dtypes_of(InferContext& c, std::initializer_list<std::size_t> outputs);

/// Refuses what MXNet does not compute: float16. A translation returns when it hears false.
bool expect_linalg_type(Translation& t);

/// An input in the dtype of the first output.
onnx::Value in_result_type(Translation& t, std::size_t i);

/// Symmetric matrices from one of their triangles.
onnx::Value symmetric(onnx::Builder& b, onnx::Value x, bool lower);

}  // namespace mx2onnx
