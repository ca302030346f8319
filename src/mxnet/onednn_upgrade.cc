// See onednn_upgrade.h. Which inputs there are, and in which order, is that of the operators'
// FListInputNames (src/operator/subgraph/mkldnn of 1.9.1, src/operator/subgraph/dnnl of 2.0).
#include "mxnet/onednn_upgrade.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "mxnet/onednn_bodies.h"
#include "mxnet/onednn_nodes.h"

namespace mx2onnx::mxnet {
namespace {

/// Writes out one fused node.
class Expansion {
 public:
  Expansion(const Node& fused, const Symbol& body) : fused_(fused), from_(body) {
    to_ = body;
    to_.nodes.clear();
    to_.heads.clear();
    new_entry_.resize(body.nodes.size());
    for (std::size_t i = 0; i < body.nodes.size(); ++i) {
      if (!body.nodes[i].is_variable()) continue;
      new_entry_[i] = {static_cast<std::uint32_t>(to_.nodes.size()), 0};
      to_.nodes.push_back(body.nodes[i]);
    }
    num_base_ = to_.nodes.size();
  }

  /// A convolution or dense layer, and what follows it.
  Symbol layer(bool is_dense) {
    is_dense_ = is_dense;
    is_dynamic_ = !has_range() && !is_true(fused_.attrs, "enable_float_output");
    is_tensor_wise_ = is_dense && !is_true(fused_.attrs, "channel_wise_quantize");
    if (is_dense && is_dynamic_ && !is_tensor_wise_) {
      refuse(
          "expected a range, or float output, for a weight that is quantised channel-wise: MXNet "
          "fails without one");
    }
    find_layer();
    declare_ranges();
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) {
      const Node& node = from_.nodes[i];
      if (node.is_variable()) continue;
      if (i == layer_) {
        add_layer(node);
      } else if (i == norm_) {
        new_entry_[i] = new_entry_[layer_];  // it is part of the weights
      } else if (is_sum(node)) {
        add_sum(i);
      } else {
        add_activation(i);
      }
    }
    finish(out_type());
    return std::move(to_);
  }

  /// Products of quantised variables, each of which has a range.
  /// The element type of variable `typed` is what the range of a result of 32 bits goes by.
  Symbol products(std::size_t typed, bool has_no_range) {
    if (num_base_ == 0 || from_.heads.size() != 1)
      refuse("expected a subgraph with variables and one output");
    is_dynamic_ = !has_range() && !is_true(fused_.attrs, "enable_float_output");
    for (std::size_t i = 0; i < num_base_; ++i) ranges_.push_back(add_range(to_.nodes[i].name));
    std::vector<NodeEntry> wide;
    for (std::uint32_t i = 0; i < num_base_; ++i) {
      data_.push_back({i, 0});
      wide.push_back(dequantized({i, 0}, ranges_[i]));
    }
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) {
      if (from_.nodes[i].is_variable()) {
        new_entry_[i] = wide[new_entry_[i].node];
      } else {
        copy(i);
      }
    }
    if (is_dynamic_) {
      add_accumulated(new_entry_[from_.heads[0].node], data_[std::min(typed, num_base_ - 1)],
                      ranges_.back(), ranges_[0], has_no_range);
    } else {
      finish("int8");
    }
    return std::move(to_);
  }

 private:
  struct Range {
    NodeEntry least;
    NodeEntry most;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  [[noreturn]] static void refuse(const std::string& message) { fail(ErrorCode::kModel, message); }

  bool has_range() const {
    return is_number(fused_.attrs, "min_calib_range") && is_number(fused_.attrs, "max_calib_range");
  }
  bool is_of_mxnet_2() const { return fused_.op.starts_with("_sg_onednn_"); }

  NodeEntry add(std::string op, std::string name, Attributes attrs, std::vector<NodeEntry> inputs) {
    return add_node(to_, std::move(op), std::move(name), std::move(attrs), std::move(inputs));
  }

  Range add_range(const std::string& of) {
    return {add("", of + "_min", {}, {}), add("", of + "_max", {}, {})};
  }

  void copy(std::size_t i) {
    Node node = from_.nodes[i];
    for (auto& input : node.inputs) {
      const std::uint32_t index = input.index;
      input = new_entry_[input.node];
      input.index += index;
    }
    to_.nodes.push_back(std::move(node));
    new_entry_[i] = {static_cast<std::uint32_t>(to_.nodes.size() - 1), 0};
  }

  std::string name_of(const NodeEntry& entry) const { return to_.nodes[entry.node].name; }

  NodeEntry dequantized(NodeEntry entry, const Range& range) {
    return add("_onednn_dequantize", name_of(entry) + "_dequantize",
               {{"whole", is_dynamic_ ? "True" : "False"}}, {entry, range.least, range.most});
  }

  void find_layer() {
    const auto is_layer = [&](const Node& node) {
      return is_dense_ ? is_any(node.op, {"FullyConnected", "_npx_fully_connected"})
                       : is_any(node.op, {"Convolution", "_npx_convolution"});
    };
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) {
      const Node& node = from_.nodes[i];
      const bool is_norm = is_any(node.op, {"BatchNorm", "_npx_batch_norm"});
      if (is_layer(node) && layer_ == kNone) layer_ = i;
      if (is_norm && norm_ == kNone) norm_ = i;
      if (is_layer(node) ? layer_ != i : is_norm && norm_ != i)
        refuse("expected one layer and at most one BatchNorm in the subgraph, found more");
    }
    if (layer_ == kNone) refuse("expected a subgraph with the layer itself, found none");
    has_bias_ = !is_true(from_.nodes[layer_].attrs, "no_bias");
    expect_variables(from_, from_.nodes[layer_], 0, has_bias_ ? 3 : 2);
    if (norm_ == kNone) return;
    const Node& norm = from_.nodes[norm_];
    expect_variables(from_, norm, 1, 5);
    if (norm.inputs[0].node != layer_ || is_dense_)
      refuse("expected BatchNorm of the convolution's result in the subgraph");
  }

  NodeEntry input_of_layer(std::size_t i) const {
    return new_entry_[from_.nodes[layer_].inputs[i].node];
  }

  // The variables that the node has besides those of its subgraph.
  void declare_ranges() {
    data_.push_back(input_of_layer(0));
    ranges_.push_back(add_range("data"));
    if (is_tensor_wise_) {
      weight_range_ = add_range("weight");
      if (has_bias_) bias_range_ = add_range("bias");
    }
    for (const auto& node : from_.nodes) {
      if (!is_sum(node)) continue;
      if (has_sum_) refuse("expected at most one sum in the subgraph, found more");
      has_sum_ = true;
    }
    // Of 2.0 a float result is the sum of floats.
    const bool has_range = !is_dense_ || !is_true(fused_.attrs, "enable_float_output");
    if (has_sum_ && has_range) {
      sum_range_ = is_true(fused_.attrs, "dedup_sum") ? ranges_[0] : add_range("sum");
    }
  }

  // Rows of a dense layer that keeps all axes but the last: runtimes have integer kernels of
  // matrices.
  bool keeps_axes() const {
    if (!is_dense_) return false;
    const std::string flatten = text_of(from_.nodes[layer_].attrs, "flatten", "True");
    return !is_any(flatten, {"True", "true", "1"});
  }

  NodeEntry with_kept_axes(NodeEntry rows) {
    const NodeEntry data = dequantized(data_[0], ranges_[0]);
    return add("reshape_like", "axes",
               {{"lhs_begin", "0"}, {"lhs_end", "1"}, {"rhs_begin", "0"}, {"rhs_end", "-1"}},
               {rows, data});
  }

  void add_layer(const Node& node) {
    NodeEntry data = data_[0];
    if (keeps_axes())
      data = add("Reshape", "rows", {{"shape", "(-1, 0)"}, {"reverse", "True"}}, {data});
    std::vector<NodeEntry> inputs{dequantized(data, ranges_[0])};
    if (is_tensor_wise_) {
      add_tensor_wise(inputs);
    } else {
      add_weights(node, inputs);
    }
    Attributes attrs = node.attrs;
    attrs["no_bias"] = inputs.size() == 2 ? "True" : "False";
    if (is_dense_) attrs["flatten"] = "True";
    new_entry_[layer_] = add(node.op, node.name, std::move(attrs), std::move(inputs));
    if (keeps_axes() && has_sum_) new_entry_[layer_] = with_kept_axes(new_entry_[layer_]);
  }

  // float32 in the file; MXNet quantises them when it runs first.
  void add_weights(const Node& node, std::vector<NodeEntry>& inputs) {
    Attributes attrs{{"no_bias", has_bias_ ? "False" : "True"},
                     {"num_group", text_of(node.attrs, "num_group", "1")},
                     {"with_bn", norm_ != kNone ? "True" : "False"},
                     {"whole", is_dynamic_ ? "True" : "False"}};
    std::vector<NodeEntry> of{data_[0], ranges_[0].least, ranges_[0].most, input_of_layer(1)};
    if (has_bias_) of.push_back(input_of_layer(2));
    if (norm_ != kNone) {
      const Node& norm = from_.nodes[norm_];
      for (std::size_t i = 1; i < 5; ++i) of.push_back(new_entry_[norm.inputs[i].node]);
      for (const auto* name : {"eps", "fix_gamma"}) {
        if (norm.attrs.contains(name)) attrs[name] = norm.attrs.at(name);
      }
    }
    const NodeEntry weights =
        add("_onednn_weights", node.name + "_weights", std::move(attrs), std::move(of));
    std::uint32_t next = 0;
    inputs.push_back({weights.node, next++});
    if (has_bias_ || norm_ != kNone) inputs.push_back({weights.node, next++});
    if (is_dynamic_) weight_range_ = {{weights.node, next}, {weights.node, next + 1}};
  }

  // int8 in the file, and so is the bias, with a range of its own.
  void add_tensor_wise(std::vector<NodeEntry>& inputs) {
    inputs.push_back(dequantized(input_of_layer(1), weight_range_));
    if (!has_bias_) return;
    inputs.push_back(
        add("_onednn_bias", name_of(input_of_layer(2)) + "_dequantize",
            {{"whole", is_dynamic_ ? "True" : "False"}},
            {input_of_layer(2), bias_range_.least, bias_range_.most, data_[0], ranges_[0].least,
             ranges_[0].most, weight_range_.least, weight_range_.most}));
  }

  void add_sum(std::size_t i) {
    const Node& node = from_.nodes[i];
    if (node.inputs.size() != 2) refuse("expected a sum of two in the subgraph");
    const bool first = from_.nodes[node.inputs[0].node].is_variable();
    const NodeEntry layer = new_entry_[node.inputs[first ? 1 : 0].node];
    const NodeEntry other = new_entry_[node.inputs[first ? 0 : 1].node];
    sum_ = other;
    if (!sum_range_) {
      new_entry_[i] = add(node.op, node.name, {}, {layer, other});
      return;
    }
    if (is_dynamic_) {
      new_entry_[i] =
          add("_onednn_whole_sum", node.name, {},
              {layer, other, sum_range_->least, sum_range_->most, data_[0], ranges_[0].least,
               ranges_[0].most, weight_range_.least, weight_range_.most});
      return;
    }
    Attributes attrs;
    if (has_range()) attrs = range_attributes(out_type());
    new_entry_[i] = add("_onednn_sum", node.name, std::move(attrs),
                        {layer, other, sum_range_->least, sum_range_->most});
  }

  Attributes range_attributes(const std::string& out_type) const {
    return {{"min_calib_range", text_of(fused_.attrs, "min_calib_range", "")},
            {"max_calib_range", text_of(fused_.attrs, "max_calib_range", "")},
            {"out_type", out_type}};
  }

  // Which activations of a convolution see the number of steps of the result, in place of what it
  // stands for.
  bool sees_steps(const Node& node, bool after_sum) const {
    if (is_dense_ || is_homogeneous(node) || !has_range()) return false;
    return !is_of_mxnet_2() || after_sum;
  }

  void add_activation(std::size_t i) {
    const Node& node = from_.nodes[i];
    const bool after_sum = !node.inputs.empty() && is_sum(from_.nodes[node.inputs[0].node]);
    // The end of the range is where it is cut.
    if (is_clip(node) && !is_dense_ && !is_of_mxnet_2() && !has_sum_) {
      if (node.inputs.empty()) refuse("expected a clip with an input in the subgraph");
      new_entry_[i] = new_entry_[node.inputs[0].node];
      return;
    }
    if (sees_steps(node, after_sum)) {
      const auto input = new_entry_[node.inputs.at(0).node];
      const NodeEntry steps =
          add("_onednn_steps", node.name + "_steps", range_attributes(out_type()), {input});
      new_entry_[node.inputs[0].node] = steps;
      is_in_steps_ = true;
    }
    copy(i);
  }

  std::string out_type() const {
    for (std::size_t i = from_.nodes.size(); i-- > 0;) {
      const Node& node = from_.nodes[i];
      if (node.is_variable() || i == layer_ || i == norm_ || is_sum(node)) continue;
      const bool after_sum = !node.inputs.empty() && is_sum(from_.nodes[node.inputs[0].node]);
      if (!is_dense_ && has_sum_ && !after_sum) continue;
      return is_unsigned(node, is_dense_) ? "uint8" : "int8";
    }
    return "int8";
  }

  void finish(const std::string& out_type) {
    if (from_.heads.size() != 1) refuse("expected a subgraph with one output");
    NodeEntry result = new_entry_[from_.heads[0].node];
    if (keeps_axes() && !has_sum_) result = with_kept_axes(result);
    if (is_dynamic_) {
      add_accumulated(result, data_[0], ranges_[0], weight_range_, false);
      return;
    }
    if (is_true(fused_.attrs, "enable_float_output")) {
      to_.heads = {result};
      return;
    }
    Attributes attrs = range_attributes(out_type);
    attrs["in_steps"] = is_in_steps_ ? "True" : "False";
    std::vector<NodeEntry> inputs{result};
    if (sum_) inputs.push_back(*sum_);
    attrs["with_sum"] = sum_ ? "True" : "False";
    const NodeEntry out = add("_onednn_quantize", "quantize", std::move(attrs), std::move(inputs));
    to_.heads = {{out.node, 0}, {out.node, 1}, {out.node, 2}};
  }

  // 32 bits, and the range that these stand for.
  void add_accumulated(NodeEntry result, NodeEntry data, const Range& a, const Range& b,
                       bool has_no_range) {
    const NodeEntry out =
        add("_onednn_accumulated", "accumulated", {{"no_range", has_no_range ? "True" : "False"}},
            {result, data, a.least, a.most, b.least, b.most});
    to_.heads = {{out.node, 0}, {out.node, 1}, {out.node, 2}};
  }

  const Node& fused_;
  const Symbol& from_;
  Symbol to_;
  std::vector<NodeEntry> new_entry_;
  std::size_t num_base_ = 0;
  std::size_t layer_ = kNone;
  std::size_t norm_ = kNone;
  bool is_dense_ = false;
  bool is_dynamic_ = false;      // the range is computed, and the result has 32 bits
  bool is_tensor_wise_ = false;  // the weight is int8 already
  bool has_bias_ = false;
  bool has_sum_ = false;
  bool is_in_steps_ = false;
  std::vector<NodeEntry> data_;
  std::vector<Range> ranges_;  // of data_
  Range weight_range_;
  Range bias_range_;
  std::optional<NodeEntry> sum_;
  std::optional<Range> sum_range_;
};

std::optional<Symbol> expanded(const Node& node, const Symbol& body) {
  if (!is_true(node.attrs, "quantized")) return std::nullopt;
  if (node.op.ends_with("_conv")) return Expansion(node, body).layer(false);
  if (node.op.ends_with("_fully_connected")) return Expansion(node, body).layer(true);
  return Expansion(node, body)
      .products(node.op.ends_with("_valatt") ? 1 : 0, node.op.ends_with("_selfatt_qk"));
}

}  // namespace

void expand_onednn(Node& node, std::size_t index) {
  if (!node.op.starts_with("_sg_mkldnn_") && !node.op.starts_with("_sg_onednn_")) return;
  const ErrorScope scope = ErrorScope::node(static_cast<std::int64_t>(index), node.name, node.op);
  if (node.subgraphs.empty()) {
    if (auto body = onednn_body(node))
      node.subgraphs.push_back(std::make_shared<const Symbol>(std::move(*body)));
  }
  if (node.subgraphs.size() != 1) {
    fail(ErrorCode::kModel, fmt::format("expected 1 subgraph, found {}", node.subgraphs.size()));
  }
  if (auto body = expanded(node, *node.subgraphs[0]))
    node.subgraphs[0] = std::make_shared<const Symbol>(std::move(*body));
  const auto& nodes = node.subgraphs[0]->nodes;
  const auto count =
      std::count_if(nodes.begin(), nodes.end(), [](const Node& n) { return n.is_variable(); });
  node.attrs["num_args"] = std::to_string(count);
}

}  // namespace mx2onnx::mxnet
