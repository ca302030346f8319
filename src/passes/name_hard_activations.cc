// Hard sigmoid and hard swish as MobileNet v3 has them, of relu6: relu6(x + 3) / 6 is a HardSigmoid
// with the slope 1/6 and the offset 1/2, and x times that is a HardSwish. One kernel computes what
// four did, and the numbers round otherwise: by 3e-6 of the largest in a whole MobileNet v3.
#include "passes/pass.h"
#include "passes/rewrite.h"

namespace mx2onnx::passes {
namespace {

// ONNX Runtime has these kernels for float32 alone.
bool computes_in_float32(const Place& place) { return place.type().dtype == DType::kFloat32; }

Pattern relu6_of_plus_3(Pattern x) {
  return op("Clip", {op("Add", {std::move(x), exactly(3)}), exactly(0), exactly(6)});
}

constexpr float kSixth = 1.0F / 6;

std::optional<NewNode> hard_sigmoid(const Match& match, Place& place) {
  if (!computes_in_float32(place)) return std::nullopt;
  return NewNode{"HardSigmoid", {match.value("x")}, {{"alpha", kSixth}, {"beta", 0.5F}}};
}

std::optional<NewNode> hard_swish(const Match& match, Place& place) {
  if (!computes_in_float32(place)) return std::nullopt;
  return NewNode{"HardSwish", {match.value("x")}};
}

bool is_sixth_and_half(const onnx::Node& node) {
  return node.float_attr("alpha", 0.2F) == kSixth && node.float_attr("beta", 0.5F) == 0.5F;
}

std::vector<Rule> sigmoid_rules() {
  return {
      {op("Div", {relu6_of_plus_3(any("x")), exactly(6)}), hard_sigmoid},
      {op("Mul", {relu6_of_plus_3(any("x")), exactly(1.0 / 6)}), hard_sigmoid},
  };
}

std::vector<Rule> swish_rules() {
  return {
      {op("Mul", {any("x"), op("HardSigmoid", {any("x")}).where(is_sixth_and_half)}), hard_swish},
      {op("Div", {op("Mul", {any("x"), relu6_of_plus_3(any("x"))}), exactly(6)}), hard_swish},
      {op("Mul", {op("Mul", {any("x"), relu6_of_plus_3(any("x"))}), exactly(1.0 / 6)}), hard_swish},
  };
}

}  // namespace

std::size_t name_hard_activations(onnx::Graph& graph, const PassOptions& options) {
  static const std::vector<Rule> sigmoids = sigmoid_rules();
  static const std::vector<Rule> swishes = swish_rules();
  const std::size_t count = rewrite(graph, sigmoids);
  if (onnx::find_schema("HardSwish", options.opset) == nullptr) return count;
  return count + rewrite(graph, swishes);
}

}  // namespace mx2onnx::passes
