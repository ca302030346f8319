#include "passes/graph_uses.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mx2onnx::passes {

using onnx::Body;
using onnx::Graph;
using onnx::Node;
using onnx::Value;

GraphUses::GraphUses(const Graph& graph)
    : uses_(graph.num_values(), 0),
      is_output_(graph.num_values(), 0),
      producer_(graph.num_values(), -1) {
  for_each_body(graph.main, [&](const Body& body) {
    for (const Value output : body.outputs) {
      ++uses_[output.id];
      is_output_[output.id] = 1;
    }
    for (const auto& node : body.nodes) {
      for (const Value input : node.inputs) {
        if (input.present()) ++uses_[input.id];
      }
    }
  });
  for (std::size_t i = 0; i < graph.main.nodes.size(); ++i) {
    for (const Value output : graph.main.nodes[i].outputs) {
      if (output.present()) producer_[output.id] = static_cast<std::int64_t>(i);
    }
  }
}

std::optional<SliceRange> slice_range(const Graph& graph, const Node& slice) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 1; i < slice.inputs.size() && slice.inputs[i].present(); ++i) {
    const Tensor* tensor = graph.constant(slice.inputs[i]);
    if (tensor == nullptr || tensor->count() != 1) return std::nullopt;
    numbers.push_back(read_ints(*tensor)[0]);
  }
  if (numbers.size() < 3 || (numbers.size() > 3 && numbers[3] != 1)) return std::nullopt;
  const auto axis = resolve_axis(numbers[2], graph.type(slice.inputs[0]).shape.rank());
  if (!axis) return std::nullopt;
  return SliceRange{*axis, numbers[0], numbers[1]};
}

Value add_constant(Graph& graph, const Node& node, Tensor tensor) {
  onnx::ValueInfo info;
  info.name = graph.names.unique(node.name + "/Constant");
  info.type = tensor.type();
  info.constant = std::move(tensor);
  return graph.add_value(std::move(info));
}

bool draws(const onnx::Node& node) {
  constexpr std::array<std::string_view, 7> kOps = {
      "Bernoulli",     "Dropout",          "Multinomial",      "RandomNormal",
      "RandomUniform", "RandomNormalLike", "RandomUniformLike"};
  return std::find(kOps.begin(), kOps.end(), node.op_type) != kOps.end();
}

Value Replacements::resolve(Value value) const {
  while (value.present() && value.id < target_.size() && target_[value.id].present()) {
    value = target_[value.id];
  }
  return value;
}

void Replacements::apply(Graph& graph) const {
  for_each_body(graph.main, [&](Body& body) {
    for (auto& node : body.nodes) {
      for (Value& input : node.inputs) input = resolve(input);
    }
    for (Value& output : body.outputs) output = resolve(output);
  });
}

void erase_nodes(Body& body, const std::vector<char>& marked) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < body.nodes.size(); ++i) {
    if (marked[i] != 0) continue;
    if (kept != i) body.nodes[kept] = std::move(body.nodes[i]);
    ++kept;
  }
  body.nodes.erase(body.nodes.begin() + static_cast<std::ptrdiff_t>(kept), body.nodes.end());
}

}  // namespace mx2onnx::passes
