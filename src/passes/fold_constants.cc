// Nodes whose inputs are all constants are computed now, as far as eval.h can and as far as it does
// not make the file larger.
#include <limits>

#include "base/interruption.h"
#include "onnx/eval.h"
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

constexpr std::size_t kAlwaysSmall = 1024;

// Bytes of constant inputs that only this node uses: they go when it does.
std::size_t freed_bytes(const Graph& graph, const GraphUses& uses, const Node& node) {
  std::size_t bytes = 0;
  for (const Value input : node.inputs) {
    if (uses.count(input) == 1) bytes += graph.constant(input)->size_bytes();
  }
  return bytes;
}

// Of a static shape; the largest number if 64 bits do not hold it.
std::size_t size_bytes(const TensorType& type) {
  std::size_t size = dtype_size(type.dtype);
  for (const auto dim : type.shape.sizes()) {
    if (__builtin_mul_overflow(size, static_cast<std::size_t>(dim), &size))
      return std::numeric_limits<std::size_t>::max();
  }
  return size;
}

/// What may be folded, with the bytes of constants that go when it is.
using IsWorth = bool (*)(std::size_t size, std::size_t freed);

std::size_t fold_body(Graph& graph, const GraphUses& uses, onnx::Body& body, IsWorth is_worth) {
  auto& nodes = body.nodes;
  std::vector<char> dead(nodes.size(), 0);
  std::size_t count = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    interruption_point();
    const Node& node = nodes[i];
    // An output of the graph stays a node's output: not every runtime takes a constant there.
    if (node.outputs.size() != 1 || uses.is_output(node.outputs[0]) || node.inputs.empty())
      continue;
    std::vector<const Tensor*> inputs;
    bool all_constant = true;
    for (const Value input : node.inputs) {
      inputs.push_back(graph.constant(input));
      all_constant = all_constant && inputs.back() != nullptr;
    }
    if (!all_constant) continue;
    const auto& type = graph.type(node.outputs[0]);
    if (!type.shape.is_static()) continue;
    const std::size_t size = size_bytes(type);
    if (!is_worth(size, freed_bytes(graph, uses, node))) continue;
    auto result = onnx::evaluate(node, inputs);
    if (!result) continue;
    graph.info(node.outputs[0]).constant = std::move(*result);
    dead[i] = 1;
    ++count;
  }
  erase_nodes(body, dead);
  return count;
}

std::size_t fold(Graph& graph, IsWorth is_worth) {
  const GraphUses uses(graph);
  std::size_t count = 0;
  for_each_body(graph.main,
                [&](onnx::Body& body) { count += fold_body(graph, uses, body, is_worth); });
  return count;
}

}  // namespace

std::size_t fold_constants(Graph& graph, const PassOptions& options) {
  const auto small = [](std::size_t size, std::size_t /*freed*/) { return size <= kAlwaysSmall; };
  const auto no_larger = [](std::size_t size, std::size_t freed) {
    return size <= kAlwaysSmall || size <= freed;
  };
  return options.weights_stay ? fold(graph, small) : fold(graph, no_larger);
}

}  // namespace mx2onnx::passes
