#include "mxnet/json_upgrade.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "mxnet/control_flow_upgrade.h"
#include "mxnet/onednn_upgrade.h"

namespace mx2onnx::mxnet {
namespace {

// kHiddenKeys of src/c_api/c_api_symbolic.cc.
constexpr std::array<std::string_view, 6> kHiddenKeys = {
    "ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage", "profiler_scope"};

constexpr std::int64_t kFirstWithAuxiliaryStates = 900;
constexpr std::int64_t kFirstWithOptionalAxis = 905;

bool is_hidden_key(std::string_view key) {
  return std::any_of(kHiddenKeys.begin(), kHiddenKeys.end(), [&](std::string_view hidden) {
    if (key == hidden) return true;
    // `weight_lr_mult` on an operator speaks of its input `weight`.
    return key.size() > hidden.size() + 1 && key.ends_with(hidden) &&
           key[key.size() - hidden.size() - 1] == '_' && !key.starts_with("__");
  });
}

void hide_scheduling_keys(Attributes& attrs) {
  Attributes hidden;
  for (auto it = attrs.begin(); it != attrs.end();) {
    if (is_hidden_key(it->first)) {
      hidden.emplace("__" + it->first + "__", it->second);
      it = attrs.erase(it);
    } else {
      ++it;
    }
  }
  attrs.merge(hidden);
}

}  // namespace

Symbol upgrade_symbol(Symbol symbol, const OperatorSignatures& signatures) {
  Symbol result;
  result.mxnet_version = symbol.mxnet_version;
  result.says_version = symbol.says_version;
  result.np_shape = symbol.np_shape;
  result.nodes.reserve(symbol.nodes.size());
  std::vector<std::uint32_t> new_index(symbol.nodes.size());
  for (std::size_t i = 0; i < symbol.nodes.size(); ++i) {
    Node& node = symbol.nodes[i];
    for (auto& input : node.inputs) input.node = new_index[input.node];
    for (auto& subgraph : node.subgraphs) {
      // Only the document says which version wrote it.
      Symbol inner = *subgraph;
      inner.mxnet_version = symbol.mxnet_version;
      inner.says_version = symbol.says_version;
      inner.np_shape = symbol.np_shape;
      subgraph = std::make_shared<Symbol>(upgrade_symbol(std::move(inner), signatures));
    }
    hide_scheduling_keys(node.attrs);
    restore_control_flow(node);
    expand_onednn(node, i);
    if (symbol.mxnet_version < kFirstWithAuxiliaryStates && !node.is_variable()) {
      const auto names = signatures.input_names(node.op, node.attrs);
      for (std::size_t k = node.inputs.size(); k < names.size(); ++k) {
        Node variable;
        variable.name = node.name.empty() ? names[k] : node.name + "_" + names[k];
        node.inputs.push_back({static_cast<std::uint32_t>(result.nodes.size()), 0});
        result.nodes.push_back(std::move(variable));
      }
    }
    if (symbol.mxnet_version < kFirstWithOptionalAxis &&
        (node.op == "argmax" || node.op == "argmin")) {
      const auto axis = node.attrs.find("axis");
      if (axis != node.attrs.end() && axis->second == "-1") node.attrs.erase(axis);
    }
    new_index[i] = static_cast<std::uint32_t>(result.nodes.size());
    result.nodes.push_back(std::move(node));
  }
  for (auto head : symbol.heads) result.heads.push_back({new_index[head.node], head.index});
  return result;
}

}  // namespace mx2onnx::mxnet
