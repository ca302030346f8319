// See target_spellings.h.
#include "passes/target_spellings.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "passes/graph_uses.h"

namespace mx2onnx::passes {
namespace {

using onnx::Body;
using onnx::Graph;
using onnx::Node;
using onnx::Value;

// What stands before a node instead of it alone.
struct Prefix {
  std::size_t before;
  Node node;
};

void insert(Body& body, std::vector<Prefix> prefixes) {
  std::vector<Node> nodes;
  nodes.reserve(body.nodes.size() + prefixes.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < body.nodes.size(); ++i) {
    for (; next < prefixes.size() && prefixes[next].before == i; ++next)
      nodes.push_back(std::move(prefixes[next].node));
    nodes.push_back(std::move(body.nodes[i]));
  }
  body.nodes = std::move(nodes);
}

void erase_attribute(Node& node, std::string_view name) {
  std::erase_if(node.attrs, [&](const auto& attr) { return attr.name == name; });
}

std::optional<Node> pad_for(Graph& graph, Node& pool) {
  const auto pads = pool.ints_attr("pads");
  const bool is_padded = std::any_of(pads.begin(), pads.end(), [](auto pad) { return pad != 0; });
  // With ceil_mode windows may begin in the padding, which is not counted there.
  if (!pool.is("AveragePool") || !is_padded || pool.int_attr("count_include_pad", 0) == 0 ||
      pool.int_attr("ceil_mode", 0) != 0)
    return std::nullopt;
  const TensorType type = graph.type(pool.inputs[0]);
  if (!type.shape.known_rank() || type.shape.rank() != pads.size() / 2 + 2) return std::nullopt;
  std::vector<std::int64_t> all = {0, 0};
  all.insert(all.end(), pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(pads.size() / 2));
  all.insert(all.end(), {0, 0});
  all.insert(all.end(), pads.begin() + static_cast<std::ptrdiff_t>(pads.size() / 2), pads.end());
  std::vector<Dim> dims = type.shape.dims();
  for (std::size_t i = 0; i < dims.size(); ++i) dims[i] = dims[i] + all[i] + all[i + dims.size()];

  Node pad;
  pad.op_type = "Pad";
  pad.name = graph.names.unique(pool.name + "_pad");
  const auto count = static_cast<std::int64_t>(all.size());
  pad.inputs = {pool.inputs[0], add_constant(graph, pool, make_tensor<std::int64_t>({count}, all))};
  pad.outputs = {graph.add_value({graph.names.unique(graph.name_of(pool.outputs[0]) + "_padded"),
                                  {type.dtype, Shape(std::move(dims))},
                                  std::nullopt})};
  pad.attrs.emplace_back("mode", "constant");
  pool.inputs[0] = pad.outputs[0];
  erase_attribute(pool, "pads");
  erase_attribute(pool, "count_include_pad");
  return pad;
}

std::optional<std::vector<double>> constant(const Graph& graph, const Node& node,
                                            std::size_t index) {
  const Tensor* tensor = graph.constant(node.inputs[index]);
  if (tensor == nullptr) return std::nullopt;
  return read_doubles(*tensor);
}

// The Mul that stands before; the node becomes the Add.
std::optional<Node> scale_for(Graph& graph, Node& norm) {
  if (!norm.is("BatchNormalization") || norm.inputs.size() != 5 || norm.outputs.size() != 1)
    return std::nullopt;
  const TensorType type = graph.type(norm.inputs[0]);
  const auto gamma = constant(graph, norm, 1);
  const auto beta = constant(graph, norm, 2);
  const auto mean = constant(graph, norm, 3);
  const auto variance = constant(graph, norm, 4);
  if (!gamma || !beta || !mean || !variance || !type.shape.known_rank() || type.shape.rank() < 2 ||
      type.dtype != DType::kFloat32)
    return std::nullopt;
  const double epsilon = norm.float_attr("epsilon", 1e-5F);
  std::vector<float> scale;
  std::vector<float> offset;
  for (std::size_t c = 0; c < gamma->size(); ++c) {
    const double factor = (*gamma)[c] / std::sqrt((*variance)[c] + epsilon);
    scale.push_back(static_cast<float>(factor));
    offset.push_back(static_cast<float>((*beta)[c] - (*mean)[c] * factor));
  }
  const auto is_finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(scale.begin(), scale.end(), is_finite) ||
      !std::all_of(offset.begin(), offset.end(), is_finite))
    return std::nullopt;
  std::vector<std::int64_t> dims(type.shape.rank() - 1, 1);
  dims[0] = static_cast<std::int64_t>(scale.size());

  Node product;
  product.op_type = "Mul";
  product.name = graph.names.unique(norm.name + "_scale");
  product.inputs = {norm.inputs[0], add_constant(graph, norm, make_tensor<float>(dims, scale))};
  product.outputs = {graph.add_value(
      {graph.names.unique(graph.name_of(norm.outputs[0]) + "_scaled"), type, std::nullopt})};
  norm.op_type = "Add";
  norm.attrs.clear();
  norm.inputs = {product.outputs[0], add_constant(graph, norm, make_tensor<float>(dims, offset))};
  return product;
}

std::size_t add_before(Graph& graph, std::optional<Node> (*make)(Graph&, Node&)) {
  std::size_t count = 0;
  for_each_body(graph.main, [&](Body& body) {
    std::vector<Prefix> prefixes;
    for (std::size_t i = 0; i < body.nodes.size(); ++i) {
      if (auto node = make(graph, body.nodes[i])) prefixes.push_back({i, std::move(*node)});
    }
    count += prefixes.size();
    if (!prefixes.empty()) insert(body, std::move(prefixes));
  });
  return count;
}

}  // namespace

std::size_t pad_before_average_pool(Graph& graph) { return add_before(graph, pad_for); }

std::size_t spell_out_batch_norm(Graph& graph) { return add_before(graph, scale_for); }

}  // namespace mx2onnx::passes
