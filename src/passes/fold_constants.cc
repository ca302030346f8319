// Nodes whose inputs are all constants are computed now, as far as eval.h can and as far as it does
// not make the file much larger.
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
// Larger than what goes for it, at most, and all of these together.
constexpr std::size_t kMostLarger = 1 << 14;
constexpr std::size_t kMostTogether = 1 << 18;

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

// Which results are worth their bytes in the file.
class Room {
 public:
  explicit Room(bool weights_stay) : weights_stay_(weights_stay) {}

  // `freed` bytes of constants go when it is folded.
  bool has(std::size_t size, std::size_t freed) const {
    if (size <= kAlwaysSmall) return true;
    if (weights_stay_) return false;
    // Masks and begin states: a few of them may make the file a little larger.
    return size <= freed || (size <= kMostLarger && size <= left_);
  }

  void take(std::size_t size, std::size_t freed) {
    if (size > kAlwaysSmall && size > freed) left_ -= size;
  }

 private:
  bool weights_stay_;
  std::size_t left_ = kMostTogether;
};

std::size_t fold_body(Graph& graph, const GraphUses& uses, onnx::Body& body, Room& room) {
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
    const std::size_t freed = freed_bytes(graph, uses, node);
    if (!room.has(size, freed)) continue;
    auto result = onnx::evaluate(node, inputs);
    if (!result) continue;
    room.take(size, freed);
    graph.info(node.outputs[0]).constant = std::move(*result);
    dead[i] = 1;
    ++count;
  }
  erase_nodes(body, dead);
  return count;
}

}  // namespace

std::size_t fold_constants(Graph& graph, const PassOptions& options) {
  const GraphUses uses(graph);
  Room room(options.weights_stay);
  std::size_t count = 0;
  for_each_body(graph.main, [&](onnx::Body& body) { count += fold_body(graph, uses, body, room); });
  return count;
}

}  // namespace mx2onnx::passes
