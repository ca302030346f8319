#include "passes/weights_only.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "ir/computed.h"
#include "passes/graph_uses.h"
#include "passes/keep_patterns.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Node;
using onnx::Value;

constexpr std::string_view kFew = "has fewer than 4,096 elements";
constexpr std::string_view kNoKernel = "no kernel takes it in blocks";
constexpr std::string_view kWithin = "is used by the body of a loop or a branch";
constexpr std::string_view kAsked = "asked for";

// With a node more and a scale for each block less would not be worth it.
constexpr std::int64_t kFewElements = 4096;

constexpr const char* kRuntimeDomain = "com.microsoft";

// An accuracy_level: what goes into the product is rounded to int8, too, as ONNX Runtime does where
// it makes the node itself. Without it its kernel of 8 bits takes ten times as long.
constexpr std::int64_t kInt8Sums = 4;

/// How a node uses a weight.
enum class Use : std::uint8_t {
  kNone,
  kProduct,            ///< The right side of a product: it sums over axis 0.
  kTransposedProduct,  ///< The same, turned round before: it sums over axis 1.
  kRows,               ///< An embedding, whose rows are picked.
};

/// What a weight is replaced by; values of the new graph.
struct Stored {
  Value codes;
  Value scales;
  Value matrix;  ///< What DequantizeLinear makes of them, where that was wanted.
};

Tensor transposed(const Tensor& matrix) {
  return strided(matrix, {matrix.dims[1], matrix.dims[0]}, 0, {1, matrix.dims[1]});
}

class Storing {
 public:
  Storing(Graph& graph, const WeightsOptions& options)
      : graph_(graph),
        options_(options),
        keep_(options.keep),
        num_values_(graph.num_values()),
        uses_(graph),
        turned_(num_values_),
        num_products_(num_values_, 0),
        is_stored_(num_values_, 0),
        reasons_(num_values_) {
    for (const Node& node : graph.main.nodes) {
      if (is_right_side(node, 1)) ++num_products_[node.inputs[1].id];
      if (turns_weight(node)) turned_[node.outputs[0].id] = node.inputs[0];
    }
  }

  WeightsResult run() {
    choose();
    for (Node& node : graph_.main.nodes) rewrite(std::move(node));
    graph_.main.nodes = std::move(new_nodes_);
    result_.unmatched = keep_.unmatched();
    return std::move(result_);
  }

 private:
  bool is_weight(Value value) const {
    const Tensor* tensor = value.id < num_values_ ? graph_.constant(value) : nullptr;
    return tensor != nullptr && tensor->dtype == DType::kFloat32;
  }

  bool turns_weight(const Node& node) const {
    if (!node.is("Transpose") || !is_weight(node.inputs[0])) return false;
    const auto perm = node.ints_attr("perm");
    const bool is_turn = perm.empty() || perm == std::vector<std::int64_t>{1, 0};
    return is_turn && graph_.constant(node.inputs[0])->dims.size() == 2;
  }
  static bool is_right_side(const Node& node, std::size_t i) {
    return i == 1 && node.inputs.size() > 1 && (node.is("MatMul") || node.is("Gemm"));
  }

  // The weight that input `i` of the node is, and how it is used.
  std::pair<Value, Use> use_of(const Node& node, std::size_t i) const {
    const Value value = node.inputs[i];
    const bool turns = node.is("Gemm") && node.int_attr("transB", 0) != 0;
    if (is_weight(value)) {
      const Tensor& tensor = *graph_.constant(value);
      if (tensor.dims.size() != 2) return {value, Use::kNone};
      if (is_right_side(node, i)) return {value, turns ? Use::kTransposedProduct : Use::kProduct};
      const auto axis = node.int_attr("axis", 0);
      const bool is_rows = node.is("Gather") && i == 0 && (axis == 0 || axis == -2);
      return {value, is_rows ? Use::kRows : Use::kNone};
    }
    if (value.id >= num_values_ || !turned_[value.id].present() || !is_right_side(node, i))
      return {Value{}, Use::kNone};
    return {turned_[value.id], turns ? Use::kProduct : Use::kTransposedProduct};
  }

  void refuse(Value value, const Node& node, std::string_view reason) {
    if (reasons_[value.id].second.empty()) reasons_[value.id] = {node.op_type, reason};
  }

  // A Transpose is no use by itself if products alone take what it makes.
  bool is_seen_through(const Node& node) const {
    return turns_weight(node) && num_products_[node.outputs[0].id] == uses_.count(node.outputs[0]);
  }

  void choose() {
    std::vector<char> is_seen(num_values_, 0);
    for (const Node& node : graph_.main.nodes) {
      const bool is_asked_to_stay = keep_.match(graph_, node);
      for_each_use_within(node, [&](Value value) {
        if (value.present() && is_weight(value)) refuse(value, node, kWithin);
      });
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!node.inputs[i].present()) continue;
        const auto [value, use] = use_of(node, i);
        if (!value.present()) continue;
        is_seen[value.id] = 1;
        if (use == Use::kNone && is_seen_through(node)) continue;
        if (graph_.constant(value)->count() < kFewElements) {
          refuse(value, node, kFew);
        } else if (is_asked_to_stay) {
          refuse(value, node, kAsked);
        } else if (use == Use::kNone || uses_.is_output(value)) {
          refuse(value, node, kNoKernel);
        }
      }
    }
    for (std::uint32_t id = 0; id < num_values_; ++id) {
      const auto& [op_type, reason] = reasons_[id];
      if (!reason.empty()) {
        leave(*graph_.constant({id}), op_type, reason);
      } else if (is_seen[id] != 0) {
        is_stored_[id] = 1;
      }
    }
  }

  void leave(const Tensor& tensor, const std::string& op_type, std::string_view reason) {
    if (tensor.count() <= 1) return;
    auto& left = result_.left;
    auto known = std::find_if(left.begin(), left.end(), [&](const LeftWeights& entry) {
      return entry.op_type == op_type && entry.reason == reason;
    });
    if (known == left.end()) known = left.insert(left.end(), {op_type, reason, 0, 0});
    ++known->count;
    known->bytes += tensor.size_bytes();
  }

  Value add(const std::string& name, Tensor tensor) {
    TensorType type = tensor.type();
    return graph_.add_value({graph_.names.unique(name), std::move(type), std::move(tensor)});
  }

  // The codes and scales of a weight for one use of it, made once.
  Stored& stored(Value weight, Use use, bool is_nbits = false) {
    const auto [entry, is_new] = stored_.try_emplace({weight.id, use, is_nbits});
    Stored& result = entry->second;
    if (!is_new) return result;
    const int bits = use == Use::kRows ? 8 : options_.bits;
    const std::string& name = graph_.name_of(weight);
    auto losses = std::make_shared<BlockLosses>();
    losses->name = name;
    losses->bytes_before = graph_.constant(weight)->size_bytes();
    result_.losses.push_back(losses);
    Tensor matrix = *graph_.constant(weight);
    // Blocks lie along the axis of sums, which DequantizeLinear wants to be axis 0 for ONNX Runtime
    // to make one node of it and the product, and MatMulNBits axis 1.
    const std::size_t axis = use == Use::kRows || is_nbits ? 1 : 0;
    if (use == (axis == 0 ? Use::kTransposedProduct : Use::kProduct)) matrix = transposed(matrix);
    BlockWeight blocks = in_blocks(matrix, axis, bits, options_.block, losses);
    if (is_nbits) {
      blocks.codes = as_nbits(blocks.codes, bits, options_.block);
    } else if (bits == 4) {
      blocks.codes = as_int4(blocks.codes);
    }
    losses->bytes_after = blocks.codes.size_bytes() + blocks.scales.size_bytes();
    result.codes = add(name + (bits == 8 ? "_int8" : "_int4"), std::move(blocks.codes));
    result.scales = add(name + "_scale", std::move(blocks.scales));
    return result;
  }

  Value emit(const std::string& op_type, std::vector<Value> inputs, onnx::Attributes attrs,
             const std::string& name, TensorType type, const char* domain = "") {
    Node node;
    node.op_type = op_type;
    node.domain = domain;
    const Value output = graph_.add_value({graph_.names.unique(name), std::move(type), {}});
    node.name = graph_.names.unique(graph_.name_of(output) + "/" + op_type);
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attrs = std::move(attrs);
    new_nodes_.push_back(std::move(node));
    return output;
  }

  void rewrite(Node node) {
    for (std::size_t i = 0; i < std::min<std::size_t>(node.inputs.size(), 2); ++i) {
      if (!node.inputs[i].present()) continue;
      const auto [weight, use] = use_of(node, i);
      if (!weight.present() || use == Use::kNone || is_stored_[weight.id] == 0) continue;
      if (use == Use::kRows) return rewrite_rows(std::move(node), stored(weight, use));
      if (options_.matmul_nbits && rewrite_nbits(node, weight, use)) return;
      return rewrite_product(std::move(node), weight, use);
    }
    // One that turned a weight round that is stored turned has no use left.
    const bool is_spent = node.is("Transpose") && node.inputs[0].present() &&
                          is_weight(node.inputs[0]) && is_stored_[node.inputs[0].id] != 0;
    if (!is_spent) new_nodes_.push_back(std::move(node));
  }

  // The rows are picked before they become real numbers again.
  void rewrite_rows(Node node, const Stored& weight) {
    const Value rows = node.outputs[0];
    const TensorType type = graph_.type(rows);
    const std::string name = graph_.name_of(rows);
    TensorType scales{DType::kFloat32, type.shape};
    if (type.shape.known_rank())
      scales.shape[type.shape.rank() - 1] = Dim(graph_.constant(weight.scales)->dims[1]);
    const onnx::Attributes axis = {{"axis", 0}};
    const Value codes = emit("Gather", {weight.codes, node.inputs[1]}, axis, name + "_int8",
                             {DType::kInt8, type.shape});
    const Value scale =
        emit("Gather", {weight.scales, node.inputs[1]}, axis, name + "_scale", scales);
    node.op_type = "DequantizeLinear";
    node.inputs = {codes, scale};
    node.attrs = {{"axis", -1}, {"block_size", options_.block}};
    new_nodes_.push_back(std::move(node));
  }

  void rewrite_product(Node node, Value weight, Use use) {
    Stored& parts = stored(weight, use);
    if (!parts.matrix.present()) {
      auto dims = graph_.constant(weight)->dims;
      if (use == Use::kTransposedProduct) std::swap(dims[0], dims[1]);
      parts.matrix = emit("DequantizeLinear", {parts.codes, parts.scales},
                          {{"axis", 0}, {"block_size", options_.block}},
                          graph_.name_of(weight) + "_float32", {DType::kFloat32, Shape::of(dims)});
    }
    node.inputs[1] = parts.matrix;
    std::erase_if(node.attrs, [](const onnx::Attribute& attr) { return attr.name == "transB"; });
    new_nodes_.push_back(std::move(node));
  }

  // False if the node does more than a product and a sum.
  bool rewrite_nbits(Node& node, Value weight, Use use) {
    const Shape& left = graph_.type(node.inputs[0]).shape;
    if (!left.known_rank() || left.rank() < 2) return false;
    const bool is_plain =
        node.is("MatMul") || (node.int_attr("transA", 0) == 0 && node.float_attr("alpha", 1) == 1 &&
                              node.float_attr("beta", 1) == 1);
    if (!is_plain) return false;
    const Stored& parts = stored(weight, use, true);
    auto dims = graph_.constant(weight)->dims;
    if (use == Use::kTransposedProduct) std::swap(dims[0], dims[1]);
    const onnx::Attributes attrs = {{"K", dims[0]},
                                    {"N", dims[1]},
                                    {"bits", options_.bits},
                                    {"block_size", options_.block},
                                    {"accuracy_level", kInt8Sums}};
    std::vector<Value> inputs = {node.inputs[0], parts.codes, parts.scales};
    if (node.inputs.size() > 2 && node.inputs[2].present()) {
      const Value product = emit("MatMulNBits", std::move(inputs), attrs,
                                 graph_.name_of(node.outputs[0]) + "_product",
                                 graph_.type(node.outputs[0]), kRuntimeDomain);
      node.op_type = "Add";
      node.inputs = {product, node.inputs[2]};
      node.attrs.clear();
    } else {
      node.op_type = "MatMulNBits";
      node.domain = kRuntimeDomain;
      node.inputs = std::move(inputs);
      node.attrs = attrs;
    }
    new_nodes_.push_back(std::move(node));
    return true;
  }

  Graph& graph_;
  const WeightsOptions& options_;
  KeepPatterns keep_;
  std::size_t num_values_;
  GraphUses uses_;                           // of the graph as it was
  std::vector<Value> turned_;                // of what turns a weight round, the weight
  std::vector<std::uint32_t> num_products_;  // that have the value on their right side
  std::vector<char> is_stored_;
  std::vector<std::pair<std::string, std::string_view>> reasons_;  // why one stays float32
  std::map<std::tuple<std::uint32_t, Use, bool>, Stored> stored_;
  std::vector<Node> new_nodes_;
  WeightsResult result_;
};

}  // namespace

WeightsResult store_in_blocks(Graph& graph, const WeightsOptions& options) {
  return Storing(graph, options).run();
}

}  // namespace mx2onnx::passes
