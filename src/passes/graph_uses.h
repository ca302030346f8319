// Who makes and who uses each value: worked out once, at the start of a pass.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "onnx/graph.h"

namespace mx2onnx::passes {

class GraphUses {
 public:
  explicit GraphUses(const onnx::Graph& graph);

  /// Inputs of nodes (of inner bodies, too) and outputs of bodies that are this value.
  std::size_t count(onnx::Value value) const { return uses_[value.id]; }
  bool is_output(onnx::Value value) const { return is_output_[value.id] != 0; }
  /// Position in the main body of the node that makes the value; -1 if none does.
  std::int64_t producer(onnx::Value value) const { return producer_[value.id]; }
  /// That node, of the graph as it was; null if none makes the value.
  const onnx::Node* producer_node(const onnx::Graph& graph, onnx::Value value) const {
    const std::int64_t at = producer(value);
    return at < 0 ? nullptr : &graph.main.nodes[static_cast<std::size_t>(at)];
  }

 private:
  std::vector<std::uint32_t> uses_;
  std::vector<char> is_output_;
  std::vector<std::int64_t> producer_;
};

/// Calls `visit(value)` for what the bodies of a node take and give, its own values and those
/// around it.
template <typename Visit>
void for_each_use_within(const onnx::Node& node, const Visit& visit) {
  for (const auto& attr : node.attrs) {
    const auto* inner = std::get_if<std::shared_ptr<onnx::Body>>(&attr.value);
    if (inner == nullptr) continue;
    onnx::for_each_body(**inner, [&](const onnx::Body& body) {
      for (const auto& within : body.nodes) {
        for (const onnx::Value input : within.inputs) visit(input);
      }
      for (const onnx::Value output : body.outputs) visit(output);
    });
  }
}

/// Whether the node gives other values each time.
bool draws(const onnx::Node& node);

/// What a Slice takes: along one axis, forward, without gaps; its ends as it has them, which may
/// be negative or beyond the size.
struct SliceRange {
  std::size_t axis;
  std::int64_t start;
  std::int64_t end;
};

/// Nothing if the Slice is another one, or does not say so by constants.
std::optional<SliceRange> slice_range(const onnx::Graph& graph, const onnx::Node& slice);

/// Adds a constant for an input of a node, named after the node.
onnx::Value add_constant(onnx::Graph& graph, const onnx::Node& node, Tensor tensor);

/// Replaces values everywhere, and follows chains of replacements.
class Replacements {
 public:
  explicit Replacements(const onnx::Graph& graph) : target_(graph.num_values()) {}
  void add(onnx::Value from, onnx::Value to) { target_[from.id] = resolve(to); }
  onnx::Value resolve(onnx::Value value) const;
  void apply(onnx::Graph& graph) const;

 private:
  std::vector<onnx::Value> target_;
};

/// Drops the nodes of the body whose mark is set.
void erase_nodes(onnx::Body& body, const std::vector<char>& marked);

}  // namespace mx2onnx::passes
