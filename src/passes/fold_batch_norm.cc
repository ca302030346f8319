// BatchNormalization after a Conv, ConvTranspose or Gemm with constant weights becomes part of
// these: y = (W x + c - mean) * s + beta with s = gamma / sqrt(var + epsilon), so W' = s W, c' = (c
// - mean) s + beta. Computed in double and rounded once; the weights are scaled while they are
// written, so none of them is ever held in memory.
#include <algorithm>
#include <cmath>
#include <optional>

#include "ir/computed.h"
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

// Beyond this it is no model but an attempt to fill the memory.
constexpr std::size_t kMostChannels = 1 << 24;

// How a weight is laid out with respect to the output channels: `outer` blocks, in each of them all
// channels one after the other, `inner` elements each.
struct ChannelLayout {
  std::size_t outer;
  std::size_t channels;
  std::size_t inner;
};

std::optional<ChannelLayout> layout_of(const Node& node, const Tensor& weight) {
  const auto& dims = weight.dims;
  const auto dim = [&](std::size_t i) { return static_cast<std::size_t>(dims[i]); };
  const auto all = static_cast<std::size_t>(weight.count());
  if (node.is("Conv") && dims.size() >= 3) return ChannelLayout{1, dim(0), all / dim(0)};
  if (node.is("ConvTranspose") && dims.size() >= 3 && node.int_attr("group", 1) == 1) {
    return ChannelLayout{dim(0), dim(1), all / dim(0) / dim(1)};
  }
  const bool plain_gemm = node.is("Gemm") && node.int_attr("transA", 0) == 0 &&
                          node.float_attr("alpha", 1) == 1 && node.float_attr("beta", 1) == 1;
  if (plain_gemm && node.int_attr("transB", 0) == 1) return ChannelLayout{1, dim(0), dim(1)};
  if (plain_gemm) return ChannelLayout{dim(0), dim(1), 1};
  return std::nullopt;
}

// Of the elements from number `first` on.
template <typename T>
void scale(std::size_t first, std::span<const std::byte> from, const ChannelLayout& layout,
           const std::vector<double>& factors, std::span<std::byte> to) {
  const std::size_t count = from.size() / sizeof(T);
  const auto* const weights = reinterpret_cast<const T*>(from.data());
  auto* const scaled = reinterpret_cast<T*>(to.data());
  std::size_t channel = first / layout.inner % layout.channels;
  std::size_t end = layout.inner - first % layout.inner;
  for (std::size_t i = 0; i < count; end += layout.inner) {
    const double factor = factors[channel];
    for (const std::size_t stop = std::min(end, count); i < stop; ++i)
      scaled[i] = static_cast<T>(static_cast<double>(weights[i]) * factor);
    if (++channel == layout.channels) channel = 0;
  }
}

Tensor scaled(const Tensor& weight, const ChannelLayout& layout, std::vector<double> factors) {
  auto make = [dtype = weight.dtype, layout, factors = std::move(factors)](
                  std::size_t first, const auto& from, auto to) {
    if (dtype == DType::kFloat64) {
      scale<double>(first, from[0], layout, factors, to);
    } else {
      scale<float>(first, from[0], layout, factors, to);
    }
  };
  return elementwise(weight.dtype, weight.dims, {weight}, std::move(make));
}

bool all_finite(const std::vector<double>& values) {
  constexpr double kLargestFloat = 3e38;
  return std::all_of(values.begin(), values.end(),
                     [](double value) { return std::abs(value) <= kLargestFloat; });
}

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), uses_(graph), dead_(graph.main.nodes.size(), 0) {}

  std::size_t run() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < graph_.main.nodes.size(); ++i) {
      if (graph_.main.nodes[i].is("BatchNormalization") && fold(i)) ++count;
    }
    erase_nodes(graph_.main, dead_);
    return count;
  }

 private:
  std::optional<std::vector<double>> constant(Value value) const {
    const Tensor* tensor = graph_.constant(value);
    if (tensor == nullptr) return std::nullopt;
    return read_doubles(*tensor);
  }

  bool fold(std::size_t index) {
    Node& norm = graph_.main.nodes[index];
    const std::int64_t producer = uses_.producer(norm.inputs[0]);
    if (producer < 0 || norm.outputs.size() != 1) return false;
    Node& linear = graph_.main.nodes[static_cast<std::size_t>(producer)];
    // The value in between must have no other use, nor may the weight, or both versions would be
    // stored.
    if (linear.inputs.size() < 2 || uses_.count(norm.inputs[0]) != 1) return false;
    const Tensor* weight = graph_.constant(linear.inputs[1]);
    if (weight == nullptr || uses_.count(linear.inputs[1]) != 1 || weight->count() == 0)
      return false;
    if (weight->dtype != DType::kFloat32 && weight->dtype != DType::kFloat64) return false;
    const auto layout = layout_of(linear, *weight);
    if (!layout || layout->channels > kMostChannels) return false;
    const auto gamma = constant(norm.inputs[1]);
    const auto beta = constant(norm.inputs[2]);
    const auto mean = constant(norm.inputs[3]);
    const auto variance = constant(norm.inputs[4]);
    if (!gamma || !beta || !mean || !variance || gamma->size() != layout->channels) return false;
    std::vector<double> bias(layout->channels, 0);
    if (linear.inputs.size() > 2 && linear.inputs[2].present()) {
      const auto stored = constant(linear.inputs[2]);
      if (!stored || (stored->size() != bias.size() && stored->size() != 1)) return false;
      for (std::size_t c = 0; c < bias.size(); ++c)
        bias[c] = stored->size() == 1 ? (*stored)[0] : (*stored)[c];
    }
    const double epsilon = norm.float_attr("epsilon", 1e-5F);
    std::vector<double> scale(layout->channels);
    for (std::size_t c = 0; c < scale.size(); ++c) {
      scale[c] = (*gamma)[c] / std::sqrt((*variance)[c] + epsilon);
      bias[c] = (bias[c] - (*mean)[c]) * scale[c] + (*beta)[c];
    }
    if (!all_finite(scale) || !all_finite(bias)) return false;
    replace(linear, norm, scaled(*weight, *layout, scale), bias);
    dead_[index] = 1;
    return true;
  }

  void replace(Node& linear, const Node& norm, Tensor weight, const std::vector<double>& bias) {
    Tensor new_bias = make_tensor_as(weight.dtype, {static_cast<std::int64_t>(bias.size())}, bias);
    // The weight keeps its name. A bias of its own keeps its name, too; a new one is named after
    // the normalisation's offset if nothing else needs that.
    graph_.info(linear.inputs[1]).constant = std::move(weight);
    const bool has_bias = linear.inputs.size() > 2 && linear.inputs[2].present();
    const bool reuse_bias = has_bias && uses_.count(linear.inputs[2]) == 1;
    const bool reuse_beta = !has_bias && uses_.count(norm.inputs[2]) == 1;
    Value target = reuse_bias ? linear.inputs[2] : norm.inputs[2];
    if (!reuse_bias && !reuse_beta) {
      target = graph_.add_value({graph_.names.unique(graph_.name_of(norm.outputs[0]) + "_bias"),
                                 new_bias.type(), std::nullopt});
    }
    graph_.info(target).type = new_bias.type();
    graph_.info(target).constant = std::move(new_bias);
    linear.inputs.resize(3);
    linear.inputs[2] = target;
    linear.outputs[0] = norm.outputs[0];
  }

  Graph& graph_;
  GraphUses uses_;
  std::vector<char> dead_;
};

}  // namespace

std::size_t fold_batch_norm(Graph& graph, const PassOptions& options) {
  return options.weights_stay ? 0 : Folder(graph).run();
}

}  // namespace mx2onnx::passes
