// Walking and replacing, once for all passes that look for expressions: what is found is replaced,
// where it ends, by one node, which keeps the name and the outputs; what nobody uses any more goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "onnx/graph.h"
#include "passes/pattern.h"

namespace mx2onnx::passes {

/// The node that a pass puts in place of an expression.
struct NewNode {
  std::string op_type;
  std::vector<onnx::Value> inputs;
  onnx::Attributes attrs;
};

/// Where something is being replaced.
class Place {
 public:
  Place(onnx::Graph& graph, const onnx::Node& node) : graph_(graph), node_(node) {}

  const onnx::Graph& graph() const { return graph_; }
  /// The node that the expression ends with.
  const onnx::Node& node() const { return node_; }
  /// Of its first output.
  const TensorType& type() const { return graph_.type(node_.outputs[0]); }
  /// Adds a constant, named after the node.
  onnx::Value constant(Tensor tensor);
  onnx::Value number(DType dtype, double value) { return constant(make_scalar(dtype, value)); }
  onnx::Value ints(const std::vector<std::int64_t>& values);

 private:
  onnx::Graph& graph_;
  const onnx::Node& node_;
};

struct Rule {
  Pattern pattern;
  /// What to put there; nothing if it is to stay as it is.
  std::optional<NewNode> (*replace)(const Match& match, Place& place);
};

/// Replaces from front to back, in all bodies, by the first rule that fits; how often.
std::size_t rewrite(onnx::Graph& graph, const std::vector<Rule>& rules);

}  // namespace mx2onnx::passes
