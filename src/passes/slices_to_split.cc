// Slices along one axis that together are the whole of a value, each part once, are one Split.
// Detectors cut scores per class, recurrent nets a sequence per step.
#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/interruption.h"
#include "onnx/opset.h"
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Body;
using onnx::Graph;
using onnx::Node;
using onnx::Value;

struct Part {
  std::int64_t start;
  std::int64_t end;
  std::size_t node;  // its position in the body
};

// What ONNX Runtime has a kernel of Split for.
bool has_kernel(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kInt32 ||
         dtype == DType::kInt64 || dtype == DType::kUint8;
}

class Splitter {
 public:
  Splitter(Graph& graph, int opset) : graph_(graph), opset_(opset) {}

  std::size_t run() {
    for_each_body(graph_.main, [&](Body& body) { split_in(body); });
    return count_;
  }

 private:
  // The axis and the part that the node takes, if it takes one forward of a size that is known.
  std::optional<std::pair<std::size_t, Part>> part_of(const Node& node, std::size_t at) const {
    if (!node.is("Slice")) return std::nullopt;
    const auto range = slice_range(graph_, node);
    const auto& type = graph_.type(node.inputs[0]);
    if (!range || !has_kernel(type.dtype) || !type.shape[range->axis].is_constant())
      return std::nullopt;
    const std::int64_t size = type.shape[range->axis].value();
    const auto clamped = [size](std::int64_t place) {
      return std::clamp<std::int64_t>(place < 0 ? place + size : place, 0, size);
    };
    const Part part{clamped(range->start), clamped(range->end), at};
    if (part.start >= part.end) return std::nullopt;
    return std::pair(range->axis, part);
  }

  void split_in(Body& body) {
    // By value and axis; few values are sliced at all.
    std::map<std::pair<std::uint32_t, std::size_t>, std::vector<Part>> groups;
    for (std::size_t i = 0; i < body.nodes.size(); ++i) {
      interruption_point();
      const auto found = part_of(body.nodes[i], i);
      if (found) groups[{body.nodes[i].inputs[0].id, found->first}].push_back(found->second);
    }
    std::vector<char> dead(body.nodes.size(), 0);
    for (auto& [key, parts] : groups) {
      if (parts.size() > 1) replace(body, Value{key.first}, key.second, parts, dead);
    }
    erase_nodes(body, dead);
  }

  // Whether the parts, in order, are the whole.
  bool are_all(const std::vector<Part>& parts, std::int64_t size) const {
    std::int64_t end = 0;
    for (const auto& part : parts) {
      if (part.start != end) return false;
      end = part.end;
    }
    return end == size;
  }

  void replace(Body& body, Value whole, std::size_t axis, std::vector<Part>& parts,
               std::vector<char>& dead) {
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.start < b.start; });
    if (!are_all(parts, graph_.type(whole).shape[axis].value())) return;
    std::vector<Dim> sizes;
    std::vector<Value> outputs;
    std::size_t first = parts[0].node;
    for (const auto& part : parts) {
      sizes.emplace_back(part.end - part.start);
      outputs.push_back(body.nodes[part.node].outputs[0]);
      first = std::min(first, part.node);
      dead[part.node] = 1;
    }
    Body made;
    onnx::Builder b(graph_, opset_);
    b.begin_body(made);
    onnx::split(b, whole, static_cast<std::int64_t>(axis), sizes);
    Node& split = made.nodes.back();
    split.name = body.nodes[first].name;
    split.outputs = std::move(outputs);
    body.nodes[first] = std::move(split);
    dead[first] = 0;
    count_ += parts.size();
  }

  Graph& graph_;
  int opset_;
  std::size_t count_ = 0;
};

}  // namespace

std::size_t slices_to_split(Graph& graph, const PassOptions& options) {
  return Splitter(graph, options.opset).run();
}

}  // namespace mx2onnx::passes
