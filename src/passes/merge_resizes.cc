// Two Resizes in a row that repeat pixels a whole number of times are one: Gluon's up-sampling is a
// repeat along the width and one along the height.
#include <cmath>
#include <optional>

#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

// The scales of a Resize that repeats pixels.
std::optional<std::vector<double>> factors_of(const Graph& graph, const Node& node) {
  if (node.op_type != "Resize" || node.inputs.size() != 3) return std::nullopt;
  if (node.string_attr("mode", "nearest") != "nearest" ||
      node.string_attr("coordinate_transformation_mode", "half_pixel") != "asymmetric" ||
      node.string_attr("nearest_mode", "round_prefer_floor") != "floor") {
    return std::nullopt;
  }
  const Tensor* scales = graph.constant(node.inputs[2]);
  if (scales == nullptr) return std::nullopt;
  auto factors = read_doubles(*scales);
  for (const double factor : factors) {
    if (factor < 1 || factor != std::floor(factor)) return std::nullopt;
  }
  return factors;
}

}  // namespace

std::size_t merge_resizes(Graph& graph) {
  const GraphUses uses(graph);
  std::size_t count = 0;
  for (auto& node : graph.main.nodes) {
    const auto outer = factors_of(graph, node);
    if (!outer || uses.count(node.inputs[0]) != 1 || uses.is_output(node.inputs[0])) continue;
    const Node* before = uses.producer_node(graph, node.inputs[0]);
    if (before == nullptr) continue;
    const auto inner = factors_of(graph, *before);
    if (!inner || inner->size() != outer->size()) continue;
    std::vector<float> product;
    for (std::size_t i = 0; i < outer->size(); ++i) {
      product.push_back(static_cast<float>((*inner)[i] * (*outer)[i]));
    }
    const auto size = static_cast<std::int64_t>(product.size());
    node.inputs[2] = add_constant(graph, node, make_tensor<float>({size}, product));
    node.inputs[0] = before->inputs[0];  // remove_dead_nodes drops the other
    ++count;
  }
  return count;
}

}  // namespace mx2onnx::passes
