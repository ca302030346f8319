// Draws of random numbers at run time: the distributions that MXNet has, element by element with
// parameters of their own. By ONNX's RandomUniform and RandomNormal where ONNX Runtime has kernels
// of them, else by a RandomCounter.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "ops/expressions/matrices.h"
#include "ops/expressions/random_counter.h"
#include "ops/record/op_def.h"

namespace mx2onnx {

/// A note on what draws.
constexpr std::string_view kSeedNote =
    "ONNX Runtime seeds the nodes of a model with numbers that follow each other: at opsets 12 to "
    "21 their draws depend on each other, most with the small seeds that set_seed may be given.";

/// Draws arrays of one shape and dtype (float32 or float64). Parameters broadcast to that shape.
class Draws {
 public:
  Draws(onnx::Builder& b, Shape shape, DType dtype);

  DType dtype() const { return dtype_; }

  /// In [0, 1).
  onnx::Value unit() { return unit(dtype_); }
  onnx::Value standard_normal();
  /// With 53 bits.
  onnx::Value fine_unit() { return unit(DType::kFloat64); }

  onnx::Value uniform(onnx::Value low, onnx::Value high);
  onnx::Value normal(onnx::Value mean, onnx::Value deviation);
  onnx::Value exponential(onnx::Value rate);
  onnx::Value gamma(onnx::Value alpha, onnx::Value scale);
  onnx::Value poisson(onnx::Value rate);
  /// How many of `count` trials succeed.
  onnx::Value binomial(onnx::Value count, onnx::Value chance);
  onnx::Value negative_binomial(onnx::Value limit, onnx::Value chance);
  onnx::Value generalized_negative_binomial(onnx::Value mean, onnx::Value dispersion);

  /// As counted_loop, for steps that draw: each of them other numbers. One node that draws in each
  /// step is better than several nodes, whose draws may depend on each other.
  std::vector<onnx::Value> repeat(const Dim& count, const std::vector<onnx::Value>& states,
                                  const LoopStep& step);

 private:
  onnx::Value number(double value) const { return b_.scalar(dtype_, value); }
  onnx::Value unit(DType dtype);
  onnx::Value draw(std::string_view op_type, DType dtype);
  onnx::Value poisson_of_few(onnx::Value rate);
  onnx::Value poisson_of_many(onnx::Value rate);
  onnx::Value binomial_of_few(onnx::Value count, onnx::Value chance);
  onnx::Value binomial_of_many(onnx::Value count, onnx::Value chance);
  onnx::Value any(onnx::Value flags) const;
  std::vector<onnx::Value> loop_while(
      const std::vector<onnx::Value>& states,
      const std::function<std::vector<onnx::Value>(const std::vector<onnx::Value>& states)>& step);

  onnx::Builder& b_;
  Shape shape_;
  DType dtype_;
  std::optional<RandomCounter> counter_;  ///< Where the runtime does not draw by itself.
  onnx::Value round_;                     ///< Of the loop that is being emitted.
};

/// The dtype to draw in for results of a dtype: ONNX Runtime draws no float16.
DType draw_dtype(DType result);

/// Says in the report that the numbers are others than MXNet's.
void warn_of_draws(Translation& t, const std::string& hint = {});

}  // namespace mx2onnx
