// The nodes that the user wants to stay as they are.
#pragma once

#include <string>
#include <vector>

#include "onnx/graph.h"

namespace mx2onnx::passes {

/// Patterns of names of nodes, of what they make, and of operators, with `*` for any text.
class KeepPatterns {
 public:
  explicit KeepPatterns(std::vector<std::string> patterns);

  bool match(const onnx::Graph& graph, const onnx::Node& node);
  /// Those that have matched nothing so far.
  std::vector<std::string> unmatched() const;

 private:
  std::vector<std::string> patterns_;
  std::vector<char> matched_;
};

}  // namespace mx2onnx::passes
