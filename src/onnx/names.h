// Unique names. Names that MXNet gave (heads, inputs, parameters) are reserved first, so that
// whatever the translation makes up steps aside for them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace mx2onnx::onnx {

class Names {
 public:
  /// The name itself if it is free, else the name with the first free suffix `_1`, `_2`…. Bytes
  /// that are not UTF-8 become '_', since protobuf refuses them.
  std::string unique(std::string_view name);
  bool taken(std::string_view name) const { return next_.contains(std::string(name)); }

 private:
  std::unordered_map<std::string, std::size_t> next_;  // name -> next suffix to try
};

}  // namespace mx2onnx::onnx
