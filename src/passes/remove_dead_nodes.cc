// Nodes of which no output is used. Weights that only they used are not written: the writer takes
// what has a use.
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {

using onnx::Graph;
using onnx::Value;

std::size_t remove_dead_nodes(Graph& graph) {
  auto& nodes = graph.main.nodes;
  std::vector<char> needed(graph.num_values(), 0);
  for (const Value output : graph.main.outputs) needed[output.id] = 1;
  std::vector<char> dead(nodes.size(), 0);
  std::size_t count = 0;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    bool used = false;
    for (const Value output : nodes[i].outputs)
      used = used || (output.present() && needed[output.id] != 0);
    if (!used) {
      dead[i] = 1;
      ++count;
      continue;
    }
    const auto mark = [&](const onnx::Node& node) {
      for (const Value input : node.inputs) {
        if (input.present()) needed[input.id] = 1;
      }
    };
    mark(nodes[i]);
    for (const auto& attr : nodes[i].attrs) {
      const auto* body = std::get_if<std::shared_ptr<onnx::Body>>(&attr.value);
      if (body == nullptr) continue;
      for_each_node(**body, mark);
      for (const Value output : (*body)->outputs) needed[output.id] = 1;
    }
  }
  erase_nodes(graph, dead);
  return count;
}

}  // namespace mx2onnx::passes
