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
  static const Names first_ops = {"Embedding", "_npx_embedding", "one_hot", "_npx_one_hot"};
  static const Names second_ops = {"take",      "pick",      "gather_nd",     "batch_take",
                                   "_npi_take", "_npx_pick", "_npx_gather_nd"};
  if (first_ops.contains(op)) return 0;
  if (second_ops.contains(op)) return 1;
  return std::nullopt;
}

// What one operator says of the input that it takes at a position.
std::optional<std::size_t> rank_for(const Model& model, const mxnet::Node& node,
                                    std::size_t position) {
  constexpr std::size_t kVector = 1;
  constexpr std::size_t kSequences = 2;
  constexpr std::size_t kFeatures = 3;
  constexpr std::size_t kHeads = 4;  // of an attention, which go into the batch
  if (index_input(node.op) == position) return kSequences;
  if (node.op == "Reshape" || node.op == "reshape") {
    const auto shape = attribute(node, "shape");
    if (shape == "(-1, 1)" || shape == "(-1,1)") return kVector;
    if (shape == "(-1, 0, 0)") return kHeads;
  }
  if (node.op == "FullyConnected" && position == 0) {
    const auto flatten = attribute(node, "flatten");
    if (flatten == "False" || flatten == "false" || flatten == "0") return kFeatures;
  }
  static const Names sequence_ops = {"SequenceMask", "SequenceLast", "SequenceReverse"};
  if (sequence_ops.contains(node.op) && position == 0) return kFeatures;
  if (is_broadcast_function(node)) {
    const auto& other = model.nodes[node.inputs[1 - position].node];
    if (other.data && other.data->dims.size() >= 2) return other.data->dims.size();
  }
  return std::nullopt;
}

}  // namespace

bool is_broadcast_function(const mxnet::Node& node) {
  static const Names other_ops = {"broadcast_like", "broadcast_to", "broadcast_axis",
                                  "broadcast_axes"};
  return node.op.starts_with("broadcast_") && node.inputs.size() == 2 &&
         !other_ops.contains(node.op);
}

std::optional<std::size_t> preferred_rank(const Model& model, std::size_t input) {
  static const Names keeping_ops = {
      "Cast",           "cast",           "amp_cast",     "_copy",         "identity",
      "_mul_scalar",    "_div_scalar",    "_plus_scalar", "_minus_scalar", "elemwise_add",
      "_Plus",          "broadcast_axis", "Dropout",      "LayerNorm",     "Activation",
      "broadcast_axes", "broadcast_add"};
  static const Names turning_ops = {"squeeze", "stack",  "Reshape",  "reshape",  "Concat",
                                    "concat",  "repeat", "SwapAxis", "transpose"};
  if (lower(model.symbol.nodes[input].name).find("len") != std::string::npos) return 1;
  // How many dimensions more than the input a value has that is made of it alone; nothing where
  // they are turned.
  struct Reach {
    bool reached = false;
    std::optional<std::size_t> more;
  };
  std::vector<Reach> reach(model.nodes.size());
  reach[input] = {true, 0};
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    for (std::size_t k = 0; k < raw.inputs.size() && model.nodes[i].live; ++k) {
      const Reach from = reach[raw.inputs[k].node];
      if (!from.reached) continue;
      const bool are_indices = index_input(raw.op) == k;
      if (from.more || are_indices) {
        const auto rank = rank_for(model, raw, k);
        const std::size_t more = are_indices ? 0 : *from.more;
        if (rank && *rank > more) return *rank - more;
      }
      const bool expands = raw.op == "expand_dims";
      if (from.more && (expands || keeping_ops.contains(raw.op))) {
        reach[i] = {true, *from.more + (expands ? 1 : 0)};
      } else if (expands || keeping_ops.contains(raw.op) || turning_ops.contains(raw.op) ||
                 is_broadcast_function(raw)) {
        reach[i].reached = true;
      }
    }
  }
  return std::nullopt;
}

namespace {

bool all_takers_are(const Names& ops, const Model& model, std::size_t input) {
  bool found = false;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (!model.nodes[i].live) continue;
    for (const auto& from : raw.inputs) {
      if (from.node != input) continue;
      if (!ops.contains(raw.op)) return false;
      found = true;
    }
  }
  return found;
}

}  // namespace

bool is_flattened_first(const Model& model, std::size_t input) {
  return all_takers_are({"Flatten", "flatten"}, model, input);
}

bool is_split_first(const Model& model, std::size_t input) {
  return all_takers_are({"SliceChannel", "split"}, model, input);
}

}  // namespace mx2onnx
