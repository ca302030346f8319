// Slice(Concat(a, b, …)) that wants elements of one part only is a Slice of that part. Detectors
// cut the first hundred rows off what non-maximum suppression pads to a quarter of a million.
#include <algorithm>
#include <optional>

#include "passes/graph_uses.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

// The part that has all of the range, and where it begins.
std::optional<std::pair<Value, std::int64_t>> part_with(const Graph& graph, const Node& concat,
                                                        const SliceRange& range) {
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
  const auto range = slice_range(place.graph(), node);
  const Node& concat = match.node("joined");
  // From an end that is known.
  if (!range || range->start < 0 || range->end < range->start) return std::nullopt;
  if (!joins_along(place.graph(), concat, range->axis)) return std::nullopt;
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
