// How many dimensions the inputs have that nobody describes: those are tried, and the shape rules
// of the operators behind say which fit together.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "convert/trial.h"

namespace mx2onnx {

class RankSearch {
 public:
  explicit RankSearch(TrialRunner& runner) : runner_(runner) {}

  /// True if the rank of each input is found. Of several that fit, the one that people mean is
  /// taken, where the model says anything of the input at all.
  bool run();

  /// Forgets what was found.
  void reset() {
    shapes_.clear();
    choices_.clear();
  }

  /// What was found so far.
  const std::map<std::size_t, Shape>& shapes() const { return shapes_; }
  /// The choices that were made.
  const std::vector<Diagnostic>& choices() const { return choices_; }

 private:
  using Ranks = std::map<std::size_t, std::size_t>;
  struct Assignment {
    Ranks ranks;
    std::map<std::size_t, Shape> shapes;  // what inference made of them
    std::size_t singles = 0;              // sizes of 1 that are no one's wish
    std::size_t distance = 0;             // from what people prefer
    std::size_t total = 0;                // of all ranks
  };

  Trial try_ranks(const Ranks& ranks);
  bool settle_certain(const std::vector<std::size_t>& open);
  bool choose(const std::vector<std::size_t>& open);
  void collect(const std::vector<std::size_t>& open, const Ranks& ranks);
  Assignment assess(const Ranks& ranks, const Trial& trial) const;
  bool may_be_chosen(const Assignment& best, std::size_t input);
  std::optional<std::size_t> nearly_fitting(std::size_t input);
  void restore_images();
  const Shape& shape_in(const Trial& trial, std::size_t input) const {
    return trial.types.entries[runner_.model().first_entry[input]].type.shape;
  }

  TrialRunner& runner_;
  std::map<std::size_t, Shape> shapes_;
  std::vector<Assignment> fitting_;
  std::size_t trials_ = 0;
  std::vector<Diagnostic> choices_;
};

}  // namespace mx2onnx
