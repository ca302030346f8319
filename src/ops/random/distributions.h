// The distributions that arrays are drawn of (src/operator/random/sampler.h): the parameters of
// each as attributes and as inputs, and how it is drawn.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "ops/expressions/random_draws.h"

namespace mx2onnx {

struct Uniform {
  static constexpr std::string_view kName = "uniform";
  static constexpr std::array<std::string_view, 2> kAttrs = {"low", "high"};
  static constexpr std::array<std::string_view, 2> kInputs = {"low", "high"};
  static constexpr std::array<double, 2> kDefaults = {0, 1};
  static bool allows(double low, double high) { return low <= high; }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) {
    return d.uniform(p[0], p[1]);
  }
};
struct Normal {
  static constexpr std::string_view kName = "normal";
  static constexpr std::array<std::string_view, 2> kAttrs = {"loc", "scale"};
  static constexpr std::array<std::string_view, 2> kInputs = {"mu", "sigma"};
  static constexpr std::array<double, 2> kDefaults = {0, 1};
  static bool allows(double /*mean*/, double deviation) { return deviation > 0; }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) {
    return d.normal(p[0], p[1]);
  }
};
struct Gamma {
  static constexpr std::string_view kName = "gamma";
  static constexpr std::array<std::string_view, 2> kAttrs = {"alpha", "beta"};
  static constexpr std::array<std::string_view, 2> kInputs = {"alpha", "beta"};
  static constexpr std::array<double, 2> kDefaults = {1, 1};
  static bool allows(double alpha, double scale) { return alpha > 0 && scale > 0; }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) {
    return d.gamma(p[0], p[1]);
  }
};
struct Exponential {
  static constexpr std::string_view kName = "exponential";
  static constexpr std::array<std::string_view, 1> kAttrs = {"lam"};
  static constexpr std::array<std::string_view, 1> kInputs = {"lam"};
  static constexpr std::array<double, 2> kDefaults = {1, 0};
  static bool allows(double rate, double /*none*/) { return rate > 0; }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) {
    return d.exponential(p[0]);
  }
};
struct Poisson {
  static constexpr std::string_view kName = "poisson";
  static constexpr std::array<std::string_view, 1> kAttrs = {"lam"};
  static constexpr std::array<std::string_view, 1> kInputs = {"lam"};
  static constexpr std::array<double, 2> kDefaults = {1, 0};
  static bool allows(double rate, double /*none*/) { return rate >= 0; }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) { return d.poisson(p[0]); }
};
struct Binomial {
  static constexpr std::string_view kName = "binomial";
  static constexpr std::array<std::string_view, 2> kAttrs = {"n", "p"};
  static constexpr std::array<std::string_view, 2> kInputs = {"n", "p"};
  static constexpr std::array<double, 2> kDefaults = {1, 1};
  static bool allows(double count, double chance) {
    return count >= 0 && chance >= 0 && chance <= 1;
  }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) {
    return d.binomial(p[0], p[1]);
  }
};
struct NegativeBinomial {
  static constexpr std::string_view kName = "negative_binomial";
  static constexpr std::array<std::string_view, 2> kAttrs = {"k", "p"};
  static constexpr std::array<std::string_view, 2> kInputs = {"k", "p"};
  static constexpr std::array<double, 2> kDefaults = {1, 1};
  static bool allows(double limit, double chance) {
    return limit >= 0 && chance > 0 && chance <= 1;
  }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) {
    return d.negative_binomial(p[0], p[1]);
  }
};
struct GeneralizedNegativeBinomial {
  static constexpr std::string_view kName = "generalized_negative_binomial";
  static constexpr std::array<std::string_view, 2> kAttrs = {"mu", "alpha"};
  static constexpr std::array<std::string_view, 2> kInputs = {"mu", "alpha"};
  static constexpr std::array<double, 2> kDefaults = {1, 1};
  static bool allows(double mean, double dispersion) { return mean >= 0 && dispersion >= 0; }
  static onnx::Value draw(Draws& d, const std::vector<onnx::Value>& p) {
    return d.generalized_negative_binomial(p[0], p[1]);
  }
};

/// Calls `add` with one object of each distribution.
template <typename Add>
void for_each_distribution(Add add) {
  add(Uniform{});
  add(Normal{});
  add(Gamma{});
  add(Exponential{});
  add(Poisson{});
  add(Binomial{});
  add(NegativeBinomial{});
  add(GeneralizedNegativeBinomial{});
}

/// The parameters of a distribution for a node: in the dtype to draw in, broadcasting to the
/// output.
using DrawParameters = std::function<std::vector<onnx::Value>(DType drawn_in)>;
/// What a distribution makes of draws and parameters.
using DrawFunction = onnx::Value (*)(Draws& draws, const std::vector<onnx::Value>& parameters);

/// Sets the output to draws of a distribution, and warns that they are others than MXNet's.
void translate_draws(Translation& t, DrawFunction draw, const DrawParameters& parameters);

/// Says that MXNet does not draw this dtype.
void refuse_draws(Translation& t, DType dtype);

}  // namespace mx2onnx
