// How many dimensions the inputs have that nobody describes: those are tried, and the shape rules
// of the operators behind say which fit.
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
  /// taken where no other number of dimensions could give other results unnoticed.
  bool run();

  /// What was found so far: all sizes in it are unknown.
  const std::map<std::size_t, Shape>& shapes() const { return shapes_; }
  /// The choices that were made.
  const std::vector<Diagnostic>& choices() const { return choices_; }

 private:
  using Fitting = std::map<std::size_t, Trial>;  // by rank

  Fitting fitting(std::size_t input);
  std::optional<std::size_t> nearly_fitting(std::size_t input);
  bool settle_one(const std::vector<std::size_t>& open);
  void choose(std::size_t input, std::size_t rank, const Fitting& fits);
  const Shape& shape_in(const Trial& trial, std::size_t input) const;
  std::optional<std::size_t> preferred(std::size_t input, const Fitting& fits) const;
  bool is_index(std::size_t input) const;

  TrialRunner& runner_;
  std::map<std::size_t, Shape> shapes_;
  std::vector<Diagnostic> choices_;
};

}  // namespace mx2onnx
