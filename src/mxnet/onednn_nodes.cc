// See onednn_nodes.h.
#include "mxnet/onednn_nodes.h"

#include <algorithm>

#include "base/error.h"

namespace mx2onnx::mxnet {
namespace {

bool is_leaky(const Node& node) {
  const bool is_one = is_any(node.op, {"LeakyReLU", "_npx_leaky_relu"});
  return is_one && text_of(node.attrs, "act_type", "leaky") == "leaky";
}

bool is_activation_of(const Node& node, std::string_view type) {
  return is_any(node.op, {"Activation", "_npx_activation"}) &&
         text_of(node.attrs, "act_type", "") == type;
}

bool is_relu(const Node& node) {
  return is_activation_of(node, "relu") || is_any(node.op, {"relu", "_npx_relu"});
}

bool has_no_slope(const Node& node) {
  const std::string slope = text_of(node.attrs, "slope", "0.25");
  return !slope.empty() && slope.find_first_not_of("+-.0") == std::string::npos;
}

}  // namespace

bool is_any(std::string_view text, std::initializer_list<std::string_view> of) {
  return std::find(of.begin(), of.end(), text) != of.end();
}

std::string text_of(const Attributes& attrs, std::string_view name, std::string_view otherwise) {
  const auto found = attrs.find(name);
  return found == attrs.end() ? std::string(otherwise) : found->second;
}

bool is_true(const Attributes& attrs, std::string_view name) {
  return is_any(text_of(attrs, name, "False"), {"True", "true", "1"});
}

bool is_number(const Attributes& attrs, std::string_view name) {
  return text_of(attrs, name, "None") != "None";
}

NodeEntry add_node(Symbol& to, std::string op, std::string name, Attributes attrs,
                   std::vector<NodeEntry> inputs) {
  Node node;
  node.op = std::move(op);
  node.name = std::move(name);
  node.attrs = std::move(attrs);
  node.inputs = std::move(inputs);
  to.nodes.push_back(std::move(node));
  return {static_cast<std::uint32_t>(to.nodes.size() - 1), 0};
}

bool is_sum(const Node& node) {
  return is_any(node.op, {"elemwise_add", "_Plus", "_plus", "broadcast_add", "_npi_add"});
}

bool is_clip(const Node& node) { return is_any(node.op, {"clip", "_npi_clip"}); }

bool is_homogeneous(const Node& node) { return is_relu(node) || is_leaky(node); }

bool is_unsigned(const Node& node, bool is_dense) {
  if (is_relu(node) || is_clip(node)) return true;
  if (is_activation_of(node, "sigmoid") || is_activation_of(node, "softrelu")) return true;
  if (is_leaky(node)) return is_dense || has_no_slope(node);
  return is_dense && is_any(node.op, {"square", "sqrt", "exp", "abs", "_npi_square", "_npi_sqrt",
                                      "_npi_exp", "_npi_absolute"});
}

void expect_variables(const Symbol& body, const Node& node, std::size_t first, std::size_t count) {
  bool good = node.inputs.size() == count;
  for (std::size_t i = first; good && i < count; ++i)
    good = body.nodes[node.inputs[i].node].is_variable();
  if (good) return;
  fail(ErrorCode::kModel,
       fmt::format("expected {} of variables in the subgraph, with {} inputs", node.op, count));
}

}  // namespace mx2onnx::mxnet
