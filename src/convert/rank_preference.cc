#include "convert/rank_preference.h"

#include <set>
#include <string_view>

#include "base/text.h"

namespace mx2onnx {
namespace {

using Names = std::set<std::string_view>;

std::string_view attribute(const mxnet::Node& node, const char* name) {
  const auto found = node.attrs.find(name);
  return found == node.attrs.end() ? std::string_view() : std::string_view(found->second);
}

// Which of the inputs are indices, of an operator that has some.
std::optional<std::size_t> index_input(std::string_view op) {
  static const Names kFirst = {"Embedding", "_npx_embedding", "one_hot", "_npx_one_hot"};
  static const Names kSecond = {"take",      "pick",      "gather_nd",     "batch_take",
                                "_npi_take", "_npx_pick", "_npx_gather_nd"};
  if (kFirst.contains(op)) return 0;
  if (kSecond.contains(op)) return 1;
  return std::nullopt;
}

// What one operator says of the input that it takes at a position.
std::optional<std::size_t> rank_for(const Model& model, const mxnet::Node& node,
                                    std::size_t position) {
  constexpr std::size_t kVector = 1;
  constexpr std::size_t kSequences = 2;
  constexpr std::size_t kFeatures = 3;
  if (index_input(node.op) == position) return kSequences;
  if (node.op == "Reshape" || node.op == "reshape") {
    const auto shape = attribute(node, "shape");
    if (shape == "(-1, 1)" || shape == "(-1,1)") return kVector;
  }
  if (node.op == "FullyConnected" && position == 0) {
    const auto flatten = attribute(node, "flatten");
    if (flatten == "False" || flatten == "false" || flatten == "0") return kFeatures;
  }
  if (node.op.starts_with("broadcast_") && node.inputs.size() == 2) {
    const auto& other = model.nodes[node.inputs[1 - position].node];
    if (other.data && other.data->dims.size() >= 2) return other.data->dims.size();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> preferred_rank(const Model& model, std::size_t input) {
  static const Names kConversions = {"Cast",     "cast",    "amp_cast",    "_copy",
                                     "identity", "squeeze", "expand_dims", "stack",
                                     "Reshape",  "reshape", "_mul_scalar", "_div_scalar"};
  if (lower(model.symbol.nodes[input].name).find("len") != std::string::npos) return 1;
  std::vector<char> reached(model.nodes.size(), 0);
  reached[input] = 1;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    for (std::size_t k = 0; k < raw.inputs.size() && model.nodes[i].live; ++k) {
      if (reached[raw.inputs[k].node] == 0) continue;
      const bool is_direct = raw.inputs[k].node == input;
      const bool is_index = index_input(raw.op) == k;
      if (is_direct || is_index) {
        if (const auto rank = rank_for(model, raw, k)) return rank;
      }
      if (kConversions.contains(raw.op)) reached[i] = 1;
    }
  }
  return std::nullopt;
}

bool is_flattened_first(const Model& model, std::size_t input) {
  bool found = false;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (!model.nodes[i].live) continue;
    for (const auto& from : raw.inputs) {
      if (from.node != input) continue;
      if (raw.op != "Flatten" && raw.op != "flatten") return false;
      found = true;
    }
  }
  return found;
}

}  // namespace mx2onnx
