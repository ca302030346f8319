#include "convert/trace.h"

#include <algorithm>

namespace mx2onnx {

Trace::Seen Trace::see(const onnx::Node& node) {
  Seen seen{node.op_type, {}, node.attrs.size()};
  for (const auto* values : {&node.inputs, &node.outputs}) {
    for (const auto value : *values) seen.values.push_back(value.id);
  }
  return seen;
}

void Trace::begin_node(std::uint32_t node, std::size_t num_values) {
  begins_.emplace_back(num_values, node);
}

void Trace::end_nodes(const onnx::Graph& graph) {
  num_values_ = graph.num_values();
  for (const auto& node : graph.main.nodes) {
    if (!node.outputs.empty()) origins_[node.name] = origin(node.outputs[0]);
    seen_.emplace(node.name, see(node));
  }
}

std::uint32_t Trace::origin(onnx::Value value) const {
  if (!value.present() || value.id >= num_values_) return kNobody;
  const auto after =
      std::upper_bound(begins_.begin(), begins_.end(), value.id,
                       [](std::size_t id, const auto& begin) { return id < begin.first; });
  return after == begins_.begin() ? kNobody : std::prev(after)->second;
}

std::uint32_t Trace::origin(const onnx::Node& node) const {
  const auto known = origins_.find(node.name);
  return known == origins_.end() ? kNobody : known->second;
}

void Trace::after_pass(std::string_view pass, const onnx::Graph& graph) {
  using What = TraceEvent::What;
  std::unordered_map<std::string, Seen> now;
  for (const auto& node : graph.main.nodes) {
    Seen seen = see(node);
    const auto before = seen_.find(node.name);
    if (before == seen_.end()) {
      // Who has made a value has a place in the model; what is new altogether is of the node whose
      // value goes into it.
      std::uint32_t from = node.outputs.empty() ? kNobody : origin(node.outputs[0]);
      for (const auto input : node.inputs) {
        if (from == kNobody) from = origin(input);
      }
      origins_[node.name] = from;
      events_.push_back({std::string(pass), What::kMade, node.name, from});
    } else if (before->second != seen) {
      events_.push_back({std::string(pass), What::kChanged, node.name, origin(node)});
    }
    now.emplace(node.name, std::move(seen));
  }
  for (const auto& [name, seen] : seen_) {
    if (now.contains(name)) continue;
    const auto known = origins_.find(name);
    events_.push_back({std::string(pass), What::kRemoved, name,
                       known == origins_.end() ? kNobody : known->second});
  }
  seen_ = std::move(now);
}

}  // namespace mx2onnx
