// Max and Min with numbers in a row are one Clip: a relu6 that was written as _maximum_scalar and
// _minimum_scalar. ONNX Runtime makes a Clip part of the convolution before it, and nothing of Max
// and Min. A Max with 0 alone is a Relu, for the same reason.
//
// A bound on one side alone stays as it is: ONNX Runtime's Clip makes the largest number of an
// infinity there. Integers stay, too: few runtimes have a Clip of them.
#include "passes/pass.h"
#include "passes/rewrite.h"

namespace mx2onnx::passes {
namespace {

std::optional<NewNode> clip(const Match& match, Place& place) {
  const DType dtype = place.type().dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64) return std::nullopt;
  const double low = match.number("low");
  const double high = match.number("high");
  if (!(low <= high)) return std::nullopt;
  return NewNode{"Clip", {match.value("x"), place.number(dtype, low), place.number(dtype, high)}};
}

std::optional<NewNode> relu(const Match& match, Place& place) {
  const DType dtype = place.type().dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64) return std::nullopt;
  return NewNode{"Relu", {match.value("x")}};
}

std::optional<NewNode> clip_above_relu(const Match& match, Place& place) {
  const DType dtype = place.type().dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64) return std::nullopt;
  if (!(match.number("high") >= 0)) return std::nullopt;
  return NewNode{
      "Clip",
      {match.value("x"), place.number(dtype, 0), place.number(dtype, match.number("high"))}};
}

}  // namespace

std::size_t merge_bounds(onnx::Graph& graph, const PassOptions& /*options*/) {
  static const std::vector<Rule> rules = {
      {op("Min", {op("Max", {any("x"), number("low")}), number("high")}), clip},
      {op("Max", {op("Min", {any("x"), number("high")}), number("low")}), clip},
      {op("Min", {op("Relu", {any("x")}), number("high")}), clip_above_relu},
      {op("Max", {any("x"), exactly(0)}), relu},
  };
  return rewrite(graph, rules);
}

}  // namespace mx2onnx::passes
