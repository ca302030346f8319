#include "architectures/fit.h"

#include <algorithm>
#include <string_view>

namespace mx2onnx::architectures {
namespace {

// They give as many channels as they take, whatever that is: nothing in their attributes depends on
// it.
constexpr std::string_view kChannelwise[] = {"Activation",
                                             "BatchNorm",
                                             "BlockGrad",
                                             "Cast",
                                             "Dropout",
                                             "Flatten",
                                             "LeakyReLU",
                                             "Pooling",
                                             "UpSampling",
                                             "_contrib_BilinearResize2D",
                                             "identity",
                                             "log_softmax",
                                             "relu",
                                             "sigmoid",
                                             "softmax",
                                             "_copy",
                                             "clip",
                                             "tanh",
                                             "_contrib_AdaptiveAvgPooling2D"};

bool is_channelwise(std::string_view op) {
  return std::find(std::begin(kChannelwise), std::end(kChannelwise), op) != std::end(kChannelwise);
}

class Fitting {
 public:
  Fitting(mxnet::Symbol& symbol, const Shapes& own, const Shapes& changed)
      : symbol_(symbol), own_(own), changed_(changed), other_channels_(symbol.nodes.size()) {}

  // What is in the way, if anything.
  std::optional<std::string> run() {
    for (std::size_t i = 0; i < symbol_.nodes.size(); ++i) {
      mxnet::Node& node = symbol_.nodes[i];
      if (node.is_variable() || !is_touched(node)) continue;
      if (!fit(i, node)) return node.name;
    }
    return std::nullopt;
  }

 private:
  const mxnet::Node& input(const mxnet::Node& node, std::size_t at) const {
    return symbol_.nodes[node.inputs[at].node];
  }

  const std::vector<std::int64_t>* changed_shape(const mxnet::Node& node, std::size_t at) const {
    if (at >= node.inputs.size() || !input(node, at).is_variable()) return nullptr;
    const auto found = changed_.find(input(node, at).name);
    return found == changed_.end() ? nullptr : &found->second;
  }

  bool is_touched(const mxnet::Node& node) const {
    for (std::size_t at = 0; at < node.inputs.size(); ++at) {
      if (other_channels_[node.inputs[at].node] || changed_shape(node, at) != nullptr) return true;
    }
    return false;
  }

  bool has_other_channels(const mxnet::Node& node, std::size_t at) const {
    return other_channels_[node.inputs[at].node];
  }

  bool fit(std::size_t index, mxnet::Node& node) {
    if (node.op == "FullyConnected") return fit_layer(index, node, "num_hidden");
    if (node.op == "Convolution" && node.attrs.contains("num_group") &&
        node.attrs.find("num_group")->second == "1") {
      return fit_layer(index, node, "num_filter");
    }
    if (node.op == "Embedding") return fit_embedding(node);
    if (is_channelwise(node.op)) {
      for (std::size_t at = 1; at < node.inputs.size(); ++at) {
        const auto* shape = changed_shape(node, at);
        if ((shape != nullptr) != has_other_channels(node, 0) && input(node, at).is_variable())
          return false;
      }
      other_channels_[index] = has_other_channels(node, 0);
      return true;
    }
    return false;
  }

  // Layers that make as many channels as their weight has rows.
  bool fit_layer(std::size_t index, mxnet::Node& node, const char* attribute) {
    const auto* weight = changed_shape(node, 1);
    const auto* bias = changed_shape(node, 2);
    if (has_other_channels(node, 0) || weight == nullptr) return false;
    const auto& before = own_.find(input(node, 1).name)->second;
    if (weight->size() != before.size() || weight->empty() || (*weight)[0] < 1 ||
        !std::equal(weight->begin() + 1, weight->end(), before.begin() + 1,
                    [](auto size, auto known) { return known == 0 || size == known; })) {
      return false;
    }
    const bool has_bias = node.inputs.size() > 2;
    if (has_bias && (bias == nullptr || bias->size() != 1 || (*bias)[0] != (*weight)[0]))
      return false;
    node.attrs[attribute] = std::to_string((*weight)[0]);
    other_channels_[index] = true;
    return true;
  }

  // Another vocabulary is not seen in what the embedding gives.
  bool fit_embedding(mxnet::Node& node) {
    const auto* weight = changed_shape(node, 1);
    if (has_other_channels(node, 0) || weight == nullptr || weight->size() != 2) return false;
    const auto& before = own_.find(input(node, 1).name)->second;
    if (before.size() != 2 || (*weight)[1] != before[1] || (*weight)[0] < 1) return false;
    node.attrs["input_dim"] = std::to_string((*weight)[0]);
    return true;
  }

  mxnet::Symbol& symbol_;
  const Shapes& own_;
  const Shapes& changed_;
  std::vector<bool> other_channels_;
};

// Nets that differ in the number of their classes alone share a graph, which has that of one.
Shapes with_other_heads(const mxnet::Symbol& symbol, const Shapes& own, Shapes changed) {
  for (const auto& node : symbol.nodes) {
    const auto units = node.attrs.find("num_hidden");
    if (node.op != "FullyConnected" || units == node.attrs.end()) continue;
    const auto weight = own.find(symbol.nodes[node.inputs.at(1).node].name);
    if (weight == own.end() || weight->second.empty() || weight->second[0] == 0) continue;
    if (units->second == std::to_string(weight->second[0])) continue;
    for (std::size_t at = 1; at < node.inputs.size(); ++at) {
      const auto found = own.find(symbol.nodes[node.inputs[at].node].name);
      if (found != own.end()) changed.emplace(*found);
    }
  }
  return changed;
}

}  // namespace

std::optional<std::string> fit_to_shapes(mxnet::Symbol& symbol, const Shapes& own,
                                         const Shapes& changed) {
  mxnet::Symbol fitted = symbol;
  const Shapes others = with_other_heads(symbol, own, changed);
  if (auto obstacle = Fitting(fitted, own, others).run()) return obstacle;
  symbol = std::move(fitted);
  return std::nullopt;
}

}  // namespace mx2onnx::architectures
