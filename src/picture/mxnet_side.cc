// See sides.h.
#include <limits>
#include <map>

#include "convert/layers.h"
#include "picture/blocks.h"
#include "picture/sides.h"

namespace mx2onnx::picture {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

class MxnetSide {
 public:
  MxnetSide(const Look& look, StatisticsReader& statistics)
      : look_(look),
        model_(*look.conversion.model),
        statistics_(statistics),
        values_(model_.num_entries, kNone),
        places_(model_.nodes.size(), kNone) {}

  PictureGraph run() {
    graph_.side = "mxnet";
    std::size_t layer = 0;
    for (std::uint32_t i = 0; i < model_.nodes.size(); ++i) {
      if (!model_.nodes[i].live || model_.symbol.nodes[i].is_variable()) continue;
      add_node(i, look_.inspection.layers[layer++]);
    }
    for (const auto& head : model_.symbol.heads) graph_.outputs.push_back(value_of(head));
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].kind == PictureValueKind::kInput)
        graph_.inputs.push_back(static_cast<std::int64_t>(i));
    }
    add_problems();
    add_blocks();
    return std::move(graph_);
  }

 private:
  void add_node(std::uint32_t index, const LayerInfo& layer) {
    const mxnet::Node& raw = model_.symbol.nodes[index];
    places_[index] = static_cast<std::uint32_t>(graph_.nodes.size());
    PictureNode node;
    node.name = raw.name;
    node.op = raw.op;
    for (const auto& input : raw.inputs) node.inputs.push_back(value_of(input));
    for (const auto& [name, value] : raw.attrs) {
      if (!name.starts_with("__")) node.attributes.emplace_back(name, value);
    }
    node.parameters = layer.parameters;
    node.parameter_bytes = layer.parameter_bytes;
    node.multiply_adds = layer.multiply_adds;
    // Others are there only if somebody takes them.
    node.outputs.push_back(value_of({index, 0}));
    graph_.nodes.push_back(std::move(node));
    nodes_.push_back(index);
  }

  std::int64_t value_of(const mxnet::NodeEntry& entry) {
    std::uint32_t& place = values_[model_.entry(entry)];
    if (place != kNone) return place;
    place = static_cast<std::uint32_t>(graph_.values.size());
    const ModelNode& node = model_.nodes[entry.node];
    const mxnet::Node& raw = model_.symbol.nodes[entry.node];
    const TensorType& type = look_.types[model_.entry(entry)].type;
    PictureValue value;
    value.name = !raw.is_variable() && entry.index < node.output_names.size()
                     ? node.output_names[entry.index]
                     : raw.name;
    const bool is_known = type.shape.known_rank() || !raw.is_variable();
    PortReport port = describe_port("", is_known ? type : node.declared);
    value.dtype = std::move(port.dtype);
    value.shape = std::move(port.shape);
    if (raw.is_variable()) describe_variable(node, type, value);
    graph_.values.push_back(std::move(value));
    // An output behind the first, which its node does not know of yet.
    const bool has_place = places_[entry.node] < graph_.nodes.size();
    if (!raw.is_variable() && entry.index > 0 && has_place)
      graph_.nodes[places_[entry.node]].outputs.push_back(place);
    return place;
  }

  void describe_variable(const ModelNode& node, const TensorType& type, PictureValue& value) {
    if (node.role == VariableRole::kNone || node.role == VariableRole::kInput) {
      value.kind = PictureValueKind::kInput;
      return;
    }
    value.kind = PictureValueKind::kParameter;
    value.bytes = parameter_size(node, type).bytes;
    if (!node.data) return;
    value.statistics = statistics_.look_at(*node.data);
    value.numbers = small_numbers(*node.data);
  }

  void add_problems() {
    std::map<std::string_view, std::uint32_t> by_name;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
      by_name.emplace(model_.symbol.nodes[nodes_[i]].name, i);
    // Of a node of a body, the node that the body is of.
    const auto find = [&](std::int64_t index, std::string_view name) -> PictureNode* {
      const auto at = static_cast<std::size_t>(index);
      if (index >= 0 && at < places_.size() && places_[at] != kNone &&
          model_.symbol.nodes[at].name == name)
        return &graph_.nodes[places_[at]];
      const auto known = by_name.find(name.substr(0, name.find('/')));
      const auto exact = by_name.find(name);
      if (exact != by_name.end()) return &graph_.nodes[exact->second];
      return known == by_name.end() ? nullptr : &graph_.nodes[known->second];
    };
    for (const auto& problem : look_.problems) {
      PictureNode* node = find(problem.node_index, problem.node);
      if (node == nullptr) continue;
      std::string text = problem.attribute.empty() ? "" : "attribute '" + problem.attribute + "': ";
      text += problem.message;
      if (!problem.hint.empty()) text += " (" + problem.hint + ")";
      node->problems.push_back(std::move(text));
    }
    for (const auto& entry : look_.inspection.diagnostics) {
      PictureNode* node = entry.node.empty() ? nullptr : find(-1, entry.node);
      if (node != nullptr) node->warnings.push_back(entry.message + " [" + entry.id + "]");
    }
  }

  void add_blocks() {
    std::vector<BlockHints> hints;
    for (const auto index : nodes_) {
      const mxnet::Node& raw = model_.symbol.nodes[index];
      BlockHints hint{raw.name, raw.op, scope_of(raw), {}, {}};
      for (const auto& input : raw.inputs) {
        const mxnet::Node& from = model_.symbol.nodes[input.node];
        if (!from.is_variable()) {
          hint.inputs.push_back(places_[input.node]);
        } else if (model_.nodes[input.node].role != VariableRole::kInput) {
          hint.parameters.push_back(from.name);
          if (hint.scope.empty()) hint.scope = scope_of(from);
        }
      }
      hints.push_back(std::move(hint));
    }
    auto blocks = find_blocks(hints);
    for (std::size_t i = 0; i < blocks.size(); ++i) graph_.nodes[i].block = std::move(blocks[i]);
  }

  static std::string_view scope_of(const mxnet::Node& node) {
    const auto scope = node.attrs.find("__profiler_scope__");
    if (scope == node.attrs.end() || scope->second.starts_with("<unk>")) return {};
    return scope->second;
  }

  const Look& look_;
  const Model& model_;
  StatisticsReader& statistics_;
  PictureGraph graph_;
  std::vector<std::uint32_t> values_;  // by entry
  std::vector<std::uint32_t> places_;  // by node of the symbol
  std::vector<std::uint32_t> nodes_;   // of the symbol, by place
};

}  // namespace

PictureGraph mxnet_side(const Look& look, StatisticsReader& statistics) {
  return MxnetSide(look, statistics).run();
}

}  // namespace mx2onnx::picture
