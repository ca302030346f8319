// Slice(Concat(a, b, …)) that wants elements of one part only is a Slice of that part. Detectors
// cut the first hundred rows off what non-maximum suppression pads to a quarter of a million.
#include <algorithm>
#include <optional>

#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

struct Range {
  std::size_t axis;
  std::int64_t start;
  std::int64_t end;
};

// What a node slices, if it goes forward along one axis from an end that is known.
std::optional<Range> range_of(const Graph& graph, const Node& node) {
  if (node.op_type != "Slice" || node.inputs.size() < 4) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const Tensor* tensor = graph.constant(node.inputs[i]);
    if (tensor == nullptr || tensor->count() != 1) return std::nullopt;
    numbers.push_back(read_ints(*tensor)[0]);
  }
  const bool forward = numbers.size() == 3 || numbers[3] == 1;
  const auto rank = static_cast<std::int64_t>(graph.type(node.inputs[0]).shape.rank());
  const std::int64_t axis = numbers[2] < 0 ? numbers[2] + rank : numbers[2];
  if (!forward || axis < 0 || axis >= rank || numbers[0] < 0 || numbers[1] < numbers[0])
    return std::nullopt;
  return Range{static_cast<std::size_t>(axis), numbers[0], numbers[1]};
}

// The part that has all of the range, and where it begins.
std::optional<std::pair<Value, std::int64_t>> part_with(const Graph& graph, const Node& concat,
                                                        const Range& range) {
  std::int64_t begin = 0;
  for (const Value part : concat.inputs) {
    const auto& shape = graph.type(part).shape;
    if (range.axis >= shape.rank() || !shape[range.axis].is_constant()) return std::nullopt;
    const std::int64_t end = begin + shape[range.axis].value();
    if (range.start >= begin && range.end <= end) return std::pair(part, begin);
    begin = end;
  }
  return std::nullopt;
}

bool joins_along(const Graph& graph, const Node& node, std::size_t axis) {
  if (node.op_type != "Concat") return false;
  const auto rank = static_cast<std::int64_t>(graph.type(node.outputs[0]).shape.rank());
  const std::int64_t own = node.int_attr("axis", 0);
  return (own < 0 ? own + rank : own) == static_cast<std::int64_t>(axis);
}

// A number in the form that inputs of Slice have.
Value number(Graph& graph, const Node& node, std::int64_t value) {
  return add_constant(graph, node, make_tensor<std::int64_t>({1}, {value}));
}

}  // namespace

std::size_t slice_before_concat(Graph& graph) {
  const GraphUses uses(graph);
  std::size_t count = 0;
  for (auto& node : graph.main.nodes) {
    const auto range = range_of(graph, node);
    if (!range) continue;
    const Node* concat = uses.producer_node(graph, node.inputs[0]);
    if (concat == nullptr || !joins_along(graph, *concat, range->axis)) continue;
    const auto found = part_with(graph, *concat, *range);
    if (!found) continue;
    node.inputs[0] = found->first;
    if (found->second != 0) {
      node.inputs[1] = number(graph, node, range->start - found->second);
      node.inputs[2] = number(graph, node, range->end - found->second);
    }
    ++count;
  }
  return count;
}

}  // namespace mx2onnx::passes
