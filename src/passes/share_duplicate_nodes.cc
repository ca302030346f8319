// Nodes with the same operator, attributes and inputs compute the same: the first of them does it
// for all. Transformers make a mask for each layer, and search spaces a Relu for each branch.
//
// Left alone are nodes that draw, whatever is not ONNX's own, and nodes with bodies. Where the
// output of a later node is an output of the graph its name moves to the first, unless that has one
// to keep, too.
#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "base/hash.h"
#include "base/interruption.h"
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Body;
using onnx::Graph;
using onnx::Node;
using onnx::Value;

constexpr std::size_t kMostTensorBytes = 1024;  // of an attribute

bool draws(const Node& node) {
  constexpr std::array<std::string_view, 7> kOps = {
      "Bernoulli",     "Dropout",          "Multinomial",      "RandomNormal",
      "RandomUniform", "RandomNormalLike", "RandomUniformLike"};
  return std::find(kOps.begin(), kOps.end(), node.op_type) != kOps.end();
}

// What the node computes, as bytes: equal for nodes that are equal. Empty for one that is left
// alone.
class Identity {
 public:
  std::string_view of(const Node& node) {
    text_.clear();
    if (!node.domain.empty() || node.inputs.empty() || draws(node)) return {};
    append(node.op_type);
    append(node.inputs.size());
    for (const Value input : node.inputs) append(input.id);
    append(node.outputs.size());
    for (const Value output : node.outputs) append(output.present());
    for (const auto& attr : node.attrs) {
      append(attr.name);
      append(attr.value.index());
      if (!std::visit([this](const auto& value) { return append(value); }, attr.value)) return {};
    }
    return text_;
  }

 private:
  template <typename T>
    requires std::is_arithmetic_v<T>
  bool append(T value) {
    std::array<char, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof(T));
    text_.append(bytes.data(), sizeof(T));
    return true;
  }
  bool append(const std::string& text) {
    append(text.size());
    text_ += text;
    return true;
  }
  template <typename T>
  bool append(const std::vector<T>& values) {
    append(values.size());
    for (const auto& value : values) append(value);
    return true;
  }
  bool append(const Tensor& tensor) {
    if (tensor.size_bytes() > kMostTensorBytes) return false;
    append(static_cast<int>(tensor.dtype));
    append(tensor.dims);
    const TensorBytes raw(tensor);
    text_.append(reinterpret_cast<const char*>(raw.bytes().data()), raw.bytes().size());
    return true;
  }
  bool append(const std::shared_ptr<Body>& /*body*/) { return false; }

  std::string text_;
};

class Sharer {
 public:
  explicit Sharer(Graph& graph) : graph_(graph), targets_(graph.num_values()) {
    is_output_.resize(graph.num_values());
    const GraphUses uses(graph);
    for (std::uint32_t id = 0; id < graph.num_values(); ++id) {
      is_output_[id] = uses.is_output({id}) ? 1 : 0;
    }
  }

  std::size_t run() {
    share_in(graph_.main);
    return count_;
  }

 private:
  Value resolved(Value value) const {
    return value.present() && targets_[value.id].present() ? targets_[value.id] : value;
  }

  // Bodies within take the values around them, but share nothing with these: their outputs have to
  // be made by nodes of their own.
  void share_in(Body& body) {
    std::unordered_map<std::uint64_t, std::uint32_t> first_with;
    std::vector<char> dead(body.nodes.size(), 0);
    for (std::size_t i = 0; i < body.nodes.size(); ++i) {
      interruption_point();
      Node& node = body.nodes[i];
      for (Value& input : node.inputs) input = resolved(input);
      for (const auto& attr : node.attrs) {
        if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&attr.value)) share_in(**inner);
      }
      const std::string key(identity_.of(node));
      if (key.empty()) continue;
      const auto hash = content_hash(std::as_bytes(std::span(key))).first;
      const auto [entry, is_new] = first_with.try_emplace(hash, static_cast<std::uint32_t>(i));
      if (is_new) continue;
      Node& first = body.nodes[entry->second];
      if (identity_.of(first) != key || !replace(node, first, &body == &graph_.main)) continue;
      dead[i] = 1;
      ++count_;
    }
    for (Value& output : body.outputs) output = resolved(output);
    erase_nodes(body, dead);
  }

  bool replace(const Node& node, const Node& first, bool is_main) {
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const Value own = node.outputs[i];
      const Value other = first.outputs[i];
      if (!own.present()) continue;
      if (graph_.type(own).dtype != graph_.type(other).dtype) return false;
      if (is_output_[own.id] != 0 && is_output_[other.id] != 0) return false;
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const Value own = node.outputs[i];
      const Value other = first.outputs[i];
      if (!own.present()) continue;
      if (is_output_[own.id] != 0) {
        is_output_[other.id] = 1;
        if (is_main) graph_.info(other).name = graph_.name_of(own);
        graph_.info(other).type = graph_.type(own);
      }
      targets_[own.id] = other;
    }
    return true;
  }

  Graph& graph_;
  std::vector<Value> targets_;  // by value id: what stands for it now
  std::vector<char> is_output_;
  Identity identity_;
  std::size_t count_ = 0;
};

}  // namespace

std::size_t share_duplicate_nodes(Graph& graph, const PassOptions& /*options*/) {
  return Sharer(graph).run();
}

}  // namespace mx2onnx::passes
