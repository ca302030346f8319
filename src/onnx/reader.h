// Reads of an ONNX file what a person wants to know of it: not a model to work with. Every byte may
// be hostile; texts are views into the file.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mx2onnx::onnx {

/// A value's type. Sizes are texts: numbers, names or expressions as the file has them, "?" for
/// what it does not say.
struct StoredType {
  std::int64_t dtype = 0;  ///< TensorProto.DataType; 0 if it is not known, or the value no tensor.
  bool known_rank = false;
  std::vector<std::string> dims;
};

struct StoredValue {
  std::string_view name;
  StoredType type;
};

/// A tensor: a weight, or an attribute's value.
struct StoredWeight {
  std::string_view name;
  std::int64_t dtype = 0;
  std::vector<std::int64_t> dims;
  std::uint64_t bytes = 0;  ///< In the file or beside it.
  /// Where the elements lie in the file: raw ones as they are, others as the packed numbers of the
  /// field of this number; none of a tensor that lies elsewhere.
  std::string_view elements;
  std::uint32_t field = 0;

  /// The elements as they lie in memory, if the file has them so.
  std::span<const std::byte> raw() const;
};

struct StoredGraph;

/// What an attribute holds, of what it may hold.
struct StoredAttribute {
  std::string_view name;
  std::optional<std::int64_t> integer;
  std::optional<float> number;
  std::optional<std::string_view> text;
  std::vector<std::int64_t> integers;
  std::vector<float> numbers;
  std::vector<std::string_view> texts;
  std::optional<StoredWeight> tensor;
  std::vector<StoredGraph> graphs;
};

struct StoredNode {
  std::string_view name;
  std::string_view op_type;
  std::string_view domain;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<StoredAttribute> attributes;

  /// True if this is the operator of ONNX's own domain.
  bool is(std::string_view onnx_op) const;
  /// Null if there is none of this name.
  const StoredAttribute* find(std::string_view attribute) const;
};

struct StoredGraph {
  std::vector<StoredValue> inputs;
  std::vector<StoredValue> outputs;
  std::vector<StoredValue> values;  ///< Types of inner values that the file says.
  std::vector<StoredNode> nodes;
  std::vector<StoredWeight> weights;
};

struct StoredModel : StoredGraph {
  std::int64_t ir_version = 0;
  std::string_view producer;
  std::string_view producer_version;
  std::vector<std::pair<std::string_view, std::int64_t>> opsets;
  std::vector<std::pair<std::string_view, std::string_view>> metadata;
};

/// Calls `visit(node)` for each node of the graph and of those within it, outer ones first.
template <typename Visit>
void for_each_stored_node(const StoredGraph& graph, const Visit& visit) {
  for (const auto& node : graph.nodes) {
    visit(node);
    for (const auto& attribute : node.attributes) {
      for (const auto& inner : attribute.graphs) for_each_stored_node(inner, visit);
    }
  }
}

/// Fails with kFormat if the bytes are no ONNX model. They have to outlive the result.
StoredModel read_model(std::span<const std::byte> bytes);

/// The elements of a small tensor as numbers; nothing if it has more than `most` elements, lies
/// elsewhere or is of another kind than integers, bool, float32 and float64.
std::optional<std::vector<double>> small_values(const StoredWeight& tensor, std::size_t most = 64);

}  // namespace mx2onnx::onnx
