// How many dimensions the inputs have that nobody describes: those are tried, and the shape rules
// of the operators behind say which fit together.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "convert/trial.h"

namespace mx2onnx {

/// An input for which several numbers of dimensions would do.
struct RankChoice {
  std::size_t input = 0;
  std::set<std::size_t> ranks;  ///< Those that fit, and the one that is taken.
  /// Of an image that is flattened before anything else: how many values it has.
  std::int64_t flattened = 0;
};

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
  const std::vector<RankChoice>& choices() const { return choices_; }

 private:
  using Ranks = std::map<std::size_t, std::size_t>;
  struct Assignment {
    Ranks ranks;
    std::map<std::size_t, Shape> shapes;  // what inference made of them
    std::size_t singles = 0;              // sizes of 1 that are no one's wish
    std::size_t composed = 0;             // sizes of inputs that are computed from others
    std::size_t uneven = 0;               // arrays of different ranks that are broadcast
    std::size_t distance = 0;             // from what people prefer
    std::size_t total = 0;                // of all ranks
    std::set<std::size_t> placed;         // inputs that have sizes of those whose rank is known
  };

  Trial try_ranks(const Ranks& ranks);
  Trial try_names(const Ranks& ranks, bool one_batch);
  bool settle_certain(const std::vector<std::size_t>& open);
  bool choose(const std::vector<std::size_t>& open);
  bool take_preferred(const std::vector<std::size_t>& open);
  bool ran_out() const;
  bool fits_with_one_more(std::size_t input, std::size_t rank);
  void collect(const std::vector<std::size_t>& open, const Ranks& ranks);
  Assignment assess(const Ranks& ranks, const Trial& trial) const;
  std::set<std::size_t> placed_inputs(const Ranks& ranks, const Trial& trial) const;
  Assignment assess_with_one_batch(const Assignment& found);
  std::size_t count_composed(const Trial& trial) const;
  std::size_t count_uneven(const Trial& trial) const;
  bool is_anchored(const Assignment& best, std::size_t input) const;
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
  std::vector<RankChoice> choices_;
};

}  // namespace mx2onnx
