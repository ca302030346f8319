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

struct StoredNode {
  std::string_view name;
  std::string_view op_type;
  std::string_view domain;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  /// With their values as texts; of long lists the first elements.
  std::vector<std::pair<std::string_view, std::string>> attributes;
  bool transposes_first = false;      ///< The attribute transA.
  std::vector<std::string_view> ops;  ///< Operators of the graphs within it, however deep.
};

struct StoredWeight {
  std::string_view name;
  std::int64_t dtype = 0;
  std::vector<std::int64_t> dims;
  std::uint64_t bytes = 0;  ///< In the file.
  /// The elements as they lie in memory, if the file has them so.
  std::span<const std::byte> raw;
};

struct StoredModel {
  std::int64_t ir_version = 0;
  std::string_view producer;
  std::string_view producer_version;
  std::vector<std::pair<std::string_view, std::int64_t>> opsets;
  std::vector<std::pair<std::string_view, std::string_view>> metadata;
  std::vector<StoredValue> inputs;
  std::vector<StoredValue> outputs;
  std::vector<StoredValue> values;  ///< Types of inner values that the file says.
  std::vector<StoredNode> nodes;
  std::vector<StoredWeight> weights;
};

/// Fails with kFormat if the bytes are no ONNX model. They have to outlive the result.
StoredModel read_model(std::span<const std::byte> bytes);

}  // namespace mx2onnx::onnx
