// What inference found of subgraphs, for when it is asked for again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "infer/infer.h"

namespace mx2onnx {

// Equal as far as either is known.
inline bool say_the_same(const TensorType& a, const TensorType& b) {
  if (a.dtype != b.dtype || a.shape.known_rank() != b.shape.known_rank()) return false;
  return std::equal(
      a.shape.dims().begin(), a.shape.dims().end(), b.shape.dims().begin(), b.shape.dims().end(),
      [](const Dim& x, const Dim& y) { return x == y || (!x.known() && !y.known()); });
}

// What was found of subgraphs. A rule asks for its own several times, until nothing changes; those
// of nested subgraphs would each ask as often again, and as deep as they are nested.
class BodyMemory {
 public:
  const InferResult* find(const Model& body, const std::vector<TensorType>& known) const {
    const auto runs = runs_.find(&body);
    if (runs == runs_.end()) return nullptr;
    for (const Run& run : runs->second) {
      if (std::equal(run.known.begin(), run.known.end(), known.begin(), known.end(), say_the_same))
        return &run.found;
    }
    return nullptr;
  }
  const InferResult& add(const Model& body, std::vector<TensorType> known, InferResult found) {
    auto& runs = runs_[&body];
    // Those that are asked for again are the last ones.
    if (runs.size() == kMostRuns) runs.erase(runs.begin());
    runs.push_back({std::move(known), std::move(found)});
    return runs.back().found;
  }

 private:
  static constexpr std::size_t kMostRuns = 8;
  struct Run {
    std::vector<TensorType> known;
    InferResult found;
  };
  std::map<const Model*, std::vector<Run>> runs_;
};

}  // namespace mx2onnx
