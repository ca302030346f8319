// See onednn_bodies.h.
#include "mxnet/onednn_bodies.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "mxnet/onednn_nodes.h"

namespace mx2onnx::mxnet {
namespace {

/// A subgraph under construction.
class Body {
 public:
  explicit Body(std::initializer_list<const char*> variables) {
    for (const auto* name : variables) add("", name, {}, {});
  }
  NodeEntry add(std::string op, std::string name, Attributes attrs, std::vector<NodeEntry> inputs) {
    return add_node(symbol_, std::move(op), std::move(name), std::move(attrs), std::move(inputs));
  }
  Symbol finish(NodeEntry head) {
    symbol_.heads = {head};
    symbol_.np_shape = true;
    return std::move(symbol_);
  }

 private:
  Symbol symbol_;
};

Symbol batch_dot(const Node& node) {
  Body body({"lhs", "rhs"});
  Attributes attrs;
  for (const auto* name : {"transpose_a", "transpose_b"})
    attrs[name] = text_of(node.attrs, name, "False");
  return body.finish(body.add("batch_dot", "batch_dot", std::move(attrs), {{0, 0}, {1, 0}}));
}

// Heads before the sequence: of (batch, length, heads * size), one of the three parts.
NodeEntry part_by_head(Body& body, const NodeEntry& parts, std::uint32_t which,
                       const std::string& heads) {
  const std::string number = std::to_string(which);
  const NodeEntry apart = body.add("Reshape", "heads" + number,
                                   {{"shape", "(0, 0, " + heads + ", -1)"}}, {{parts.node, which}});
  return body.add("transpose", "by_head" + number, {{"axes", "(0, 2, 1, 3)"}}, {apart});
}

NodeEntry three_parts(Body& body, std::uint32_t projection) {
  return body.add("SliceChannel", "parts", {{"num_outputs", "3"}, {"axis", "2"}},
                  {{projection, 0}});
}

Symbol attention_scores(const std::string& heads) {
  Body body({"qkv"});
  const NodeEntry parts = three_parts(body, 0);
  const NodeEntry queries = part_by_head(body, parts, 0, heads);
  const NodeEntry keys = part_by_head(body, parts, 1, heads);
  return body.finish(body.add("batch_dot", "scores", {{"transpose_b", "True"}}, {queries, keys}));
}

Symbol attention_values(const std::string& heads) {
  Body body({"att", "qkv"});
  const NodeEntry values = part_by_head(body, three_parts(body, 1), 2, heads);
  const NodeEntry sums = body.add("batch_dot", "sums", {}, {{0, 0}, values});
  const NodeEntry in_order = body.add("transpose", "in_order", {{"axes", "(0, 2, 1, 3)"}}, {sums});
  return body.finish(body.add("Reshape", "together", {{"shape", "(0, 0, -1)"}}, {in_order}));
}

}  // namespace

std::optional<Symbol> onednn_body(const Node& node) {
  if (node.op == "_sg_onednn_batch_dot") return batch_dot(node);
  const std::string heads = text_of(node.attrs, "heads", "");
  if (node.op == "_sg_onednn_selfatt_qk") return attention_scores(heads);
  if (node.op == "_sg_onednn_selfatt_valatt") return attention_values(heads);
  return std::nullopt;
}

}  // namespace mx2onnx::mxnet
