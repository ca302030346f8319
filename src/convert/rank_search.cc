#include "convert/rank_search.h"

#include <algorithm>
#include <tuple>

#include "base/attempt.h"
#include "convert/rank_preference.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostRank = 5;
// Of inputs that depend on each other; each costs an inference.
constexpr std::size_t kMostTrials = 400;
constexpr std::size_t kMostNodesTried = 400'000;

bool has_number(const Shape& shape) {
  return std::any_of(shape.dims().begin(), shape.dims().end(),
                     [](const Dim& dim) { return dim.is_constant(); });
}

std::size_t count_singles(const Shape& shape) {
  return static_cast<std::size_t>(
      std::count_if(shape.dims().begin(), shape.dims().end(),
                    [](const Dim& dim) { return dim.is_constant() && dim.value() == 1; }));
}

// The channels and the side of a square image of so many values; 0 if it is none.
std::pair<std::int64_t, std::int64_t> square_image(std::int64_t values) {
  constexpr std::int64_t kLargestSide = 4096;
  for (const std::int64_t channels : {1, 3}) {
    for (std::int64_t side = 2; side <= kLargestSide && side * side * channels <= values; ++side) {
      if (side * side * channels == values) return {channels, side};
    }
  }
  return {0, 0};
}

}  // namespace

bool RankSearch::run() {
  for (;;) {
    Supposition known = runner_.with_hidden_names(shapes_);
    known.allow_unknown = true;
    known.pass_over_failures = true;  // what is wrong with the sizes is found when all are supposed
    const Trial trial = runner_.run(known);
    if (trial.error) return false;
    const auto open = runner_.open_inputs(trial.types, true);
    if (open.empty()) break;
    if (!kCanAttempt || !(settle_certain(open) || choose(open))) return false;
  }
  restore_images();
  return true;
}

// Sizes are first all different, then the first of each input the same: neither finds more in every
// model.
Trial RankSearch::try_ranks(const Ranks& ranks) {
  auto shapes = shapes_;
  for (const auto& [input, rank] : ranks) shapes[input] = Shape::unknown_dims(rank);
  Trial trial;
  for (const bool one_batch : {false, true}) {
    Supposition supposition = runner_.with_hidden_names(shapes, one_batch);
    supposition.allow_unknown = true;
    trial = runner_.run(supposition);
    if (!trial.error) break;
  }
  return trial;
}

// Takes the rank of an input for which only one fits.
bool RankSearch::settle_certain(const std::vector<std::size_t>& open) {
  for (const auto input : open) {
    std::vector<std::size_t> fits;
    for (std::size_t rank = 1; rank <= kMostRank && fits.size() < 2; ++rank) {
      if (!try_ranks({{input, rank}}).error) fits.push_back(rank);
    }
    if (fits.size() > 1) continue;
    const auto rank = fits.empty() ? nearly_fitting(input) : std::optional(fits[0]);
    if (!rank) return false;
    shapes_[input] = Shape::unknown_dims(*rank);
    return true;
  }
  return false;
}

// Where the sizes are wrong or cannot be found, the rank with which most operators can do
// something.
std::optional<std::size_t> RankSearch::nearly_fitting(std::size_t input) {
  std::optional<std::size_t> best;
  std::size_t most = 0;
  for (std::size_t rank = 1; rank <= kMostRank; ++rank) {
    auto shapes = shapes_;
    shapes[input] = Shape::unknown_dims(rank);
    Supposition supposition = runner_.with_hidden_names(std::move(shapes));
    supposition.allow_unknown = true;
    supposition.pass_over_failures = true;
    const Trial trial = runner_.run(supposition);
    if (trial.error) continue;
    const auto known = static_cast<std::size_t>(
        std::count_if(trial.types.entries.begin(), trial.types.entries.end(),
                      [](const EntryInfo& entry) { return entry.type.shape.known(); }));
    if (known == most) best.reset();
    if (known > most) {
      most = known;
      best = rank;
    }
  }
  return best;
}

// All ranks that fit together, and of these the best.
bool RankSearch::choose(const std::vector<std::size_t>& open) {
  fitting_.clear();
  trials_ = 0;
  collect(open, {});
  if (fitting_.empty()) return false;
  const auto better = [](const Assignment& a, const Assignment& b) {
    return std::tie(a.singles, a.distance, a.total) < std::tie(b.singles, b.distance, b.total);
  };
  const Assignment best = *std::min_element(fitting_.begin(), fitting_.end(), better);
  const bool may_be = std::all_of(best.ranks.begin(), best.ranks.end(), [&](const auto& entry) {
    return may_be_chosen(best, entry.first);
  });
  if (!may_be) return false;
  for (const auto& [input, rank] : best.ranks) shapes_[input] = Shape::unknown_dims(rank);
  return true;
}

void RankSearch::collect(const std::vector<std::size_t>& open, const Ranks& ranks) {
  const std::size_t nodes = runner_.model().nodes.size();
  for (std::size_t rank = 1; rank <= kMostRank; ++rank) {
    if (++trials_ > kMostTrials || trials_ * nodes > kMostNodesTried) return;
    Ranks more = ranks;
    more[open[ranks.size()]] = rank;
    const Trial trial = try_ranks(more);
    if (trial.error) continue;
    if (more.size() == open.size()) {
      fitting_.push_back(assess(more, trial));
    } else {
      collect(open, more);
    }
  }
}

RankSearch::Assignment RankSearch::assess(const Ranks& ranks, const Trial& trial) const {
  constexpr std::size_t kVectorPenalty = 3;
  Assignment found{.ranks = ranks};
  for (const auto& [input, rank] : ranks) {
    const Shape& shape = shape_in(trial, input);
    found.shapes.emplace(input, shape);
    found.singles += count_singles(shape);
    found.total += rank;
    if (const auto wanted = preferred_rank(runner_.model(), input)) {
      found.distance += rank > *wanted ? rank - *wanted : *wanted - rank;
    } else if (rank == 1) {
      found.distance += kVectorPenalty;
    }
  }
  return found;
}

// An input that could have another rank, all others as they are, has to be one of which the model
// says something: a size, or what it is for. Says that there was a choice.
bool RankSearch::may_be_chosen(const Assignment& best, std::size_t input) {
  std::size_t lowest = best.ranks.at(input);
  std::size_t highest = lowest;
  for (const auto& other : fitting_) {
    Ranks same = other.ranks;
    same[input] = best.ranks.at(input);
    if (same != best.ranks || other.singles > best.singles) continue;
    lowest = std::min(lowest, other.ranks.at(input));
    highest = std::max(highest, other.ranks.at(input));
  }
  if (lowest == highest) return true;
  if (!preferred_rank(runner_.model(), input) && !has_number(best.shapes.at(input))) return false;
  const std::size_t rank = best.ranks.at(input);
  const std::string& name = runner_.input_name(input);
  choices_.push_back({"W-rank-chosen", name,
                      fmt::format("input '{}' can have {} to {} dimensions: {} {} taken", name,
                                  lowest, highest, rank, rank == 1 ? "is" : "are")});
  return true;
}

// Who flattens an input before anything else has more than two dimensions of it.
void RankSearch::restore_images() {
  for (auto& [input, shape] : shapes_) {
    if (shape.rank() != 2 || !is_flattened_first(runner_.model(), input)) continue;
    const Trial known = try_ranks({});
    if (known.error || !shape_in(known, input)[1].is_constant()) continue;
    const std::int64_t values = shape_in(known, input)[1].value();
    const auto [channels, side] = square_image(values);
    if (channels == 0) continue;
    auto shapes = shapes_;
    shapes[input] = Shape{Dim(), channels, side, side};
    if (runner_.run(runner_.with_hidden_names(shapes)).error) continue;
    const std::string& name = runner_.input_name(input);
    choices_.push_back({"W-rank-chosen", name,
                        fmt::format("input '{}' is flattened first: (batch, {}, {}, {}) is taken, "
                                    "(batch, {}) would do as well",
                                    name, channels, side, side, values)});
    shape = shapes[input];
  }
}

}  // namespace mx2onnx
