// What an ONNX file says of its values: element types, ranks and sizes where the file has them,
// and what follows of them for the values of its nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onnx/reader.h"

namespace mx2onnx::lint {

/// A size: a number, free (the file has a name for it), or not known.
struct Size {
  enum class Kind : std::uint8_t { kUnknown, kFree, kNumber };
  Kind kind = Kind::kUnknown;
  std::int64_t number = 0;
};

struct ValueFacts {
  std::int64_t dtype = 0;  ///< TensorProto.DataType; 0 if it is not known.
  std::optional<std::vector<Size>> shape;
  const onnx::StoredWeight* constant = nullptr;
};

/// The values of a graph, and of those around it.
class Facts {
 public:
  /// Collects what is known of the graph's values. Graphs around it come first.
  Facts(const onnx::StoredGraph& graph, const Facts* around, int opset);

  /// Null for a value that nothing declares or computes.
  const ValueFacts* find(std::string_view name) const;

 private:
  void take(const onnx::StoredValue& value, bool is_input);
  void infer(const onnx::StoredNode& node);

  const Facts* around_;
  int opset_;
  std::unordered_map<std::string_view, ValueFacts> values_;
};

/// NumPy's name of an element type; "unknown" for one that NumPy does not have, or 0.
std::string_view type_name(std::int64_t dtype);

}  // namespace mx2onnx::lint
