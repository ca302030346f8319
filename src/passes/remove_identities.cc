// Identity and inference-time Dropout: whatever uses their output uses their input instead.
//
// Where the output is an output of the graph it has to keep its name: then the name moves to the
// node that makes the input, if that is a node and the input is not an output itself.
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

namespace {

bool passes_through(const Node& node) {
  return node.is("Identity") || (node.is("Dropout") && node.outputs.size() == 1);
}

// In the body of a loop or a branch, where an output has to be made by a node of the body.
std::size_t remove_inner(const GraphUses& uses, onnx::Body& body, Replacements& replacements) {
  std::vector<char> dead(body.nodes.size(), 0);
  std::size_t count = 0;
  for (std::size_t i = 0; i < body.nodes.size(); ++i) {
    const Node& node = body.nodes[i];
    if (!passes_through(node) || uses.is_output(node.outputs[0])) continue;
    replacements.add(node.outputs[0], node.inputs[0]);
    dead[i] = 1;
    ++count;
  }
  erase_nodes(body, dead);
  return count;
}

}  // namespace

std::size_t remove_identities(Graph& graph, const PassOptions& /*options*/) {
  const GraphUses uses(graph);
  Replacements replacements(graph);
  auto& nodes = graph.main.nodes;
  std::vector<char> dead(nodes.size(), 0);
  // Values that took over the name of an output already.
  std::vector<char> renamed(graph.num_values(), 0);
  std::size_t count = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (!passes_through(node)) continue;
    const Value output = node.outputs[0];
    const Value input = replacements.resolve(node.inputs[0]);
    if (uses.is_output(output)) {
      const bool movable =
          uses.producer(input) >= 0 && !uses.is_output(input) && renamed[input.id] == 0;
      if (!movable) continue;
      renamed[input.id] = 1;
      graph.info(input).name = graph.name_of(output);
    }
    replacements.add(output, input);
    dead[i] = 1;
    ++count;
  }
  erase_nodes(graph.main, dead);
  for_each_body(graph.main, [&](onnx::Body& body) {
    if (&body != &graph.main) count += remove_inner(uses, body, replacements);
  });
  replacements.apply(graph);
  return count;
}

}  // namespace mx2onnx::passes
