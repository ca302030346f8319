// Slice(Concat(a, b, …)) that wants elements of one part only is a Slice of that part. Detectors
// cut the first hundred rows off what non-maximum suppression pads to a quarter of a million.
#include <algorithm>
#include <optional>

#include "passes/pass.h"
#include "passes/rewrite.h"

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
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 1; i < node.inputs.size() && node.inputs[i].present(); ++i) {
    const Tensor* tensor = graph.constant(node.inputs[i]);
    if (tensor == nullptr || tensor->count() != 1) return std::nullopt;
    numbers.push_back(read_ints(*tensor)[0]);
  }
  if (numbers.size() < 3) return std::nullopt;
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
  const auto rank = static_cast<std::int64_t>(graph.type(node.outputs[0]).shape.rank());
  const std::int64_t own = node.int_attr("axis", 0);
  return (own < 0 ? own + rank : own) == static_cast<std::int64_t>(axis);
}

std::optional<NewNode> slice_of_part(const Match& match, Place& place) {
  const Node& node = place.node();
  const auto range = range_of(place.graph(), node);
  const Node& concat = match.node("joined");
  if (!range || !joins_along(place.graph(), concat, range->axis)) return std::nullopt;
  const auto found = part_with(place.graph(), concat, *range);
  if (!found) return std::nullopt;
  NewNode slice{"Slice", node.inputs, {}};
  slice.inputs[0] = found->first;
  if (found->second != 0) {
    slice.inputs[1] = place.ints({range->start - found->second});
    slice.inputs[2] = place.ints({range->end - found->second});
  }
  return slice;
}

}  // namespace

std::size_t slice_before_concat(Graph& graph, const PassOptions& /*options*/) {
  static const std::vector<Rule> rules = {
      {op("Slice", {op("Concat").with_more().with_other_uses().as("joined")}).with_more(),
       slice_of_part},
  };
  return rewrite(graph, rules);
}

}  // namespace mx2onnx::passes
