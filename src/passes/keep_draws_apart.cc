// ONNX Runtime seeds a node that draws with its place among the nodes of its body (its random
// operators add node.Index() to the seed of the session): of two bodies, nodes at the same place
// draw the same numbers. Nodes that nobody uses move one of them on.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/budget.h"
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;

Node filler(Graph& graph, const Node& before) {
  spend(kNodeCost);
  Node node;
  node.op_type = "Identity";
  node.name = graph.names.unique(before.name + "/Place");
  node.inputs = {before.inputs.empty()
                     ? add_constant(graph, before, make_tensor<std::int64_t>({1}, {0}))
                     : before.inputs[0]};
  onnx::ValueInfo info;
  info.name = node.name;
  info.type = graph.type(node.inputs[0]);
  node.outputs = {graph.add_value(std::move(info))};
  return node;
}

}  // namespace

std::size_t keep_draws_apart(Graph& graph) {
  std::unordered_set<std::size_t> taken;
  std::size_t count = 0;
  for_each_body(graph.main, [&](onnx::Body& body) {
    if (std::none_of(body.nodes.begin(), body.nodes.end(), draws)) return;
    std::vector<Node> nodes;
    nodes.reserve(body.nodes.size());
    for (auto& node : body.nodes) {
      if (draws(node)) {
        for (; taken.contains(nodes.size()); ++count) nodes.push_back(filler(graph, node));
        taken.insert(nodes.size());
      }
      nodes.push_back(std::move(node));
    }
    body.nodes = std::move(nodes);
  });
  return count;
}

}  // namespace mx2onnx::passes
