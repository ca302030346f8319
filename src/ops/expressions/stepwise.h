// Arithmetic in MXNet's steps: float16 is rounded after each of them, which ONNX Runtime does not
// do when it computes a chain of float16 nodes. Each step is made in float32 here and rounded by
// casts, which is the same. Values are float32 between the steps.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

class Stepwise {
 public:
  Stepwise(onnx::Builder& b, DType dtype) : b_(b), dtype_(dtype) {}

  /// The element type that steps are made in.
  DType computing() const {
    if (is_integer(dtype_)) return DType::kInt64;
    return dtype_ == DType::kFloat16 ? DType::kFloat32 : dtype_;
  }
  /// From the element type, and to it.
  onnx::Value take(onnx::Value x) const { return b_.cast(x, computing()); }
  onnx::Value give(onnx::Value x) const { return b_.cast(x, dtype_); }
  /// As the element type has it.
  onnx::Value number(double value) const { return take(b_.scalar(dtype_, value)); }
  onnx::Value rounded(onnx::Value x) const { return take(give(x)); }

  onnx::Value add(onnx::Value x, onnx::Value y) const { return rounded(b_.add(x, y)); }
  onnx::Value sub(onnx::Value x, onnx::Value y) const { return rounded(b_.sub(x, y)); }
  onnx::Value mul(onnx::Value x, onnx::Value y) const { return rounded(b_.mul(x, y)); }
  onnx::Value div(onnx::Value x, onnx::Value y) const { return rounded(b_.div(x, y)); }

 protected:
  onnx::Builder& b_;
  DType dtype_;
};

}  // namespace mx2onnx
