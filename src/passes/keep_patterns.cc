#include "passes/keep_patterns.h"

#include <algorithm>
#include <utility>

#include "base/star_pattern.h"

namespace mx2onnx::passes {

KeepPatterns::KeepPatterns(std::vector<std::string> patterns)
    : patterns_(std::move(patterns)), matched_(patterns_.size(), 0) {}

bool KeepPatterns::match(const onnx::Graph& graph, const onnx::Node& node) {
  bool found = false;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const auto& pattern = patterns_[i];
    const bool matches =
        match_stars(node.name, pattern) || match_stars(node.op_type, pattern) ||
        std::any_of(node.outputs.begin(), node.outputs.end(), [&](onnx::Value output) {
          return output.present() && match_stars(graph.name_of(output), pattern);
        });
    if (matches) matched_[i] = 1;
    found = found || matches;
  }
  return found;
}

std::vector<std::string> KeepPatterns::unmatched() const {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    if (matched_[i] == 0) result.push_back(patterns_[i]);
  }
  return result;
}

}  // namespace mx2onnx::passes
