// Two Resizes in a row that repeat pixels a whole number of times are one: Gluon's up-sampling is a
// repeat along the width and one along the height.
#include <cmath>
#include <optional>

#include "passes/pass.h"
#include "passes/rewrite.h"

namespace mx2onnx::passes {
namespace {

bool repeats_pixels(const onnx::Node& node) {
  return node.string_attr("mode", "nearest") == "nearest" &&
         node.string_attr("coordinate_transformation_mode", "half_pixel") == "asymmetric" &&
         node.string_attr("nearest_mode", "round_prefer_floor") == "floor";
}

// By whole numbers.
std::optional<std::vector<double>> factors_of(const Tensor& scales) {
  auto factors = read_doubles(scales);
  for (const double factor : factors) {
    if (factor < 1 || factor != std::floor(factor)) return std::nullopt;
  }
  return factors;
}

std::optional<NewNode> merged(const Match& match, Place& place) {
  const auto inner = factors_of(match.tensor("inner"));
  const auto outer = factors_of(match.tensor("outer"));
  if (!inner || !outer || inner->size() != outer->size()) return std::nullopt;
  std::vector<float> product;
  for (std::size_t i = 0; i < outer->size(); ++i) {
    product.push_back(static_cast<float>((*inner)[i] * (*outer)[i]));
  }
  const auto size = static_cast<std::int64_t>(product.size());
  return NewNode{"Resize",
                 {match.value("x"), {}, place.constant(make_tensor<float>({size}, product))},
                 place.node().attrs};
}

}  // namespace

std::size_t merge_resizes(onnx::Graph& graph, const PassOptions& /*options*/) {
  static const std::vector<Rule> rules = {
      {op("Resize", {op("Resize", {any("x"), absent(), constant("inner")}).where(repeats_pixels),
                     absent(), constant("outer")})
           .where(repeats_pixels),
       merged},
  };
  return rewrite(graph, rules);
}

}  // namespace mx2onnx::passes
