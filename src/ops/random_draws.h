// Draws of random numbers at run time: the distributions that MXNet has, element by element with
// parameters of their own. By ONNX's RandomUniform and RandomNormal where ONNX Runtime has kernels
// of them, else from random bits, which are what a Dropout keeps.
#pragma once

#include <string_view>
#include <vector>

#include "ops/op_def.h"

namespace mx2onnx {

/// Notes on what draws, and on what draws in a loop.
constexpr std::string_view kSeedNote =
    "ONNX Runtime seeds the nodes of a model, and from opset 22 on its runs, with numbers that "
    "follow "
    "each other, so that their draws depend on each other, most with the small seeds that set_seed "
    "may "
    "be given.";
constexpr std::string_view kLoopNote =
    " Opsets 12 to 21: from 22 on ONNX Runtime has no CPU kernel whose draws in a loop are "
    "independent.";

/// Draws arrays of one shape and dtype (float32 or float64). Parameters broadcast to that shape.
class Draws {
 public:
  Draws(onnx::Builder& b, Shape shape, DType dtype)
      : b_(b), shape_(std::move(shape)), dtype_(dtype) {}

  /// In [0, 1).
  onnx::Value unit() const { return unit(dtype_); }
  onnx::Value standard_normal() const;
  /// With 53 bits.
  onnx::Value fine_unit() const { return unit(DType::kFloat64); }

  onnx::Value uniform(onnx::Value low, onnx::Value high) const;
  onnx::Value normal(onnx::Value mean, onnx::Value deviation) const;
  onnx::Value exponential(onnx::Value rate) const;
  onnx::Value gamma(onnx::Value alpha, onnx::Value scale) const;
  onnx::Value poisson(onnx::Value rate) const;
  onnx::Value negative_binomial(onnx::Value limit, onnx::Value chance) const;
  onnx::Value generalized_negative_binomial(onnx::Value mean, onnx::Value dispersion) const;

 private:
  onnx::Value number(double value) const { return b_.scalar(dtype_, value); }
  onnx::Value unit(DType dtype) const;
  onnx::Value unit_of_bits(DType dtype) const;
  onnx::Value draw(std::string_view op_type, DType dtype) const;
  onnx::Value poisson_of_few(onnx::Value rate) const;
  onnx::Value poisson_of_many(onnx::Value rate) const;
  onnx::Value any(onnx::Value flags) const;

  onnx::Builder& b_;
  Shape shape_;
  DType dtype_;
};

/// The dtype to draw in for results of a dtype: ONNX Runtime draws no float16.
DType draw_dtype(DType result);

/// Says in the report that the numbers are others than MXNet's.
void warn_of_draws(Translation& t);
/// The same. False after a refusal, where draws of a loop would depend on each other.
bool begin_draws(Translation& t, bool in_a_loop);

}  // namespace mx2onnx
