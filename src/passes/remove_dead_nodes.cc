// Nodes of which no output is used. Weights that only they used are not written: the writer takes
// what has a use.
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {

using onnx::Graph;
using onnx::Value;

namespace {

// Recursion is as deep as control flow is nested, which the resolver of the symbol bounds.
std::size_t remove_from(onnx::Body& body, std::vector<char>& needed) {
  auto& nodes = body.nodes;
  for (const Value output : body.outputs) needed[output.id] = 1;
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
    for (const Value input : nodes[i].inputs) {
      if (input.present()) needed[input.id] = 1;
    }
    for (const auto& attr : nodes[i].attrs) {
      const auto* inner = std::get_if<std::shared_ptr<onnx::Body>>(&attr.value);
      if (inner != nullptr) count += remove_from(**inner, needed);
    }
  }
  erase_nodes(body, dead);
  return count;
}

}  // namespace

std::size_t remove_dead_nodes(Graph& graph, const PassOptions& /*options*/) {
  std::vector<char> needed(graph.num_values(), 0);
  return remove_from(graph.main, needed);
}

}  // namespace mx2onnx::passes
