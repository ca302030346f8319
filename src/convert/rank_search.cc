#include "convert/rank_search.h"

#include <algorithm>
#include <tuple>

#include "base/attempt.h"
#include "convert/rank_preference.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostRank = 5;
constexpr std::size_t kSteppedVideos = 6;  // what a recurrent layer takes apart, tried last
// Of inputs that depend on each other; each costs an inference.
constexpr std::size_t kMostTrials = 200;
constexpr std::size_t kMostNodesTried = 15'000;

bool has_number(const Shape& shape) {
  return std::any_of(shape.dims().begin(), shape.dims().end(),
                     [](const Dim& dim) { return dim.is_constant(); });
}

// The smallest one of a product; 0 of a prime number, or of one that is none of sizes.
std::int64_t first_factor(std::int64_t number) {
  constexpr std::int64_t kLargestFactor = 4096;
  for (std::int64_t factor = 2; factor <= kLargestFactor && factor * factor <= number; ++factor) {
    if (number % factor == 0) return factor;
  }
  return 0;
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
  Trial trial = try_names(ranks, false);
  return trial.error ? try_names(ranks, true) : std::move(trial);
}

Trial RankSearch::try_names(const Ranks& ranks, bool one_batch) {
  auto shapes = shapes_;
  for (const auto& [input, rank] : ranks) shapes[input] = Shape::unknown_dims(rank);
  Supposition supposition = runner_.with_hidden_names(std::move(shapes), one_batch);
  supposition.allow_unknown = true;
  return runner_.run(supposition);
}

// Takes the rank of an input for which only one fits.
bool RankSearch::settle_certain(const std::vector<std::size_t>& open) {
  for (const auto input : open) {
    std::vector<std::size_t> fits;
    for (std::size_t rank = 1; rank <= kMostRank && fits.size() < 2; ++rank) {
      if (!try_ranks({{input, rank}}).error) fits.push_back(rank);
    }
    if (fits.size() > 1) continue;
    if (fits.empty() && !try_ranks({{input, kSteppedVideos}}).error) fits = {kSteppedVideos};
    const auto rank = fits.empty() ? nearly_fitting(input) : std::optional(fits[0]);
    if (!rank) return false;
    // The steps of a sequence are vectors.
    const bool is_clear = fits.empty() || is_split_first(runner_.model(), input);
    if (!is_clear && fits_with_one_more(input, *rank))
      choices_.push_back({.input = input, .ranks = {*rank, *rank + 1}});
    shapes_[input] = Shape::unknown_dims(*rank);
    return true;
  }
  return false;
}

// Whether one more dimension would do, though inference does not find its size: one of two of which
// the model takes the product, or that of a column which is broadcast.
bool RankSearch::fits_with_one_more(std::size_t input, std::size_t rank) {
  const auto fits = [&](std::vector<Dim> dims) {
    auto shapes = shapes_;
    shapes[input] = Shape(std::move(dims));
    Supposition supposition = runner_.with_hidden_names(std::move(shapes), true);
    supposition.allow_unknown = true;
    return !runner_.run(supposition).error;
  };
  if (rank == 1) return fits({Dim(), 1});
  const Trial known = try_ranks({{input, rank}});
  if (known.error) return false;
  const auto sizes = shape_in(known, input).dims();
  for (std::size_t axis = 1; axis < sizes.size(); ++axis) {
    const std::int64_t factor = sizes[axis].is_constant() ? first_factor(sizes[axis].value()) : 0;
    if (factor == 0) continue;
    std::vector<Dim> dims(rank + 1);
    dims[axis] = factor;
    dims[axis + 1] = sizes[axis].value() / factor;
    if (fits(std::move(dims))) return true;
  }
  return false;
}

// Where the sizes are wrong or cannot be found, the rank with which most operators can do
// something, or that alone has another reason to fail than the others.
std::optional<std::size_t> RankSearch::nearly_fitting(std::size_t input) {
  std::optional<std::size_t> best;
  std::size_t most = 0;
  std::map<std::pair<std::int64_t, std::string>, std::vector<std::size_t>> by_reason;
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
    const auto failed = try_ranks({{input, rank}}).error;
    if (!failed) continue;
    const std::string reason = failed->message().substr(0, failed->message().find(','));
    by_reason[{failed->place().node_index, reason}].push_back(rank);
  }
  for (const auto& [reason, ranks] : by_reason) {
    const bool is_last = reason.first == by_reason.rbegin()->first.first;
    if (!best && is_last && ranks.size() == 1 && by_reason.size() == 2) best = ranks[0];
  }
  return best;
}

// All ranks that fit together, and of these the best.
bool RankSearch::choose(const std::vector<std::size_t>& open) {
  fitting_.clear();
  trials_ = 0;
  collect(open, {});
  if (ran_out()) return take_preferred(open);
  if (fitting_.empty()) return false;
  const auto better = [](const Assignment& a, const Assignment& b) {
    return std::tie(a.singles, a.composed, a.distance, a.uneven, a.total) <
           std::tie(b.singles, b.composed, b.distance, b.uneven, b.total);
  };
  const Assignment best = *std::min_element(fitting_.begin(), fitting_.end(), better);
  const bool may_be = std::all_of(best.ranks.begin(), best.ranks.end(), [&](const auto& entry) {
    return may_be_chosen(best, entry.first);
  });
  if (!may_be) return false;
  for (const auto& [input, rank] : best.ranks) shapes_[input] = Shape::unknown_dims(rank);
  return true;
}

bool RankSearch::ran_out() const {
  return trials_ > kMostTrials || trials_ * runner_.model().nodes.size() > kMostNodesTried;
}

void RankSearch::collect(const std::vector<std::size_t>& open, const Ranks& ranks) {
  for (std::size_t rank = 1; rank <= kMostRank && !ran_out(); ++rank) {
    ++trials_;
    Ranks more = ranks;
    more[open[ranks.size()]] = rank;
    const Trial trial = try_ranks(more);
    if (trial.error) continue;
    if (more.size() == open.size()) {
      fitting_.push_back(assess_with_one_batch(assess(more, trial)));
    } else {
      collect(open, more);
    }
  }
}

RankSearch::Assignment RankSearch::assess(const Ranks& ranks, const Trial& trial) const {
  constexpr std::size_t kVectorPenalty = 3;
  Assignment found{
      .ranks = ranks, .composed = count_composed(trial), .uneven = count_uneven(trial)};
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
  found.placed = placed_inputs(ranks, trial);
  return found;
}

// Inputs one of whose sizes, other than the first, turned out to be one of an input that is none of
// these.
std::set<std::size_t> RankSearch::placed_inputs(const Ranks& ranks, const Trial& trial) const {
  const Model& model = runner_.model();
  std::set<std::string_view> known;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].role != VariableRole::kInput || !model.nodes[i].live || ranks.contains(i))
      continue;
    for (const Dim& dim : shape_in(trial, i).dims()) known.insert(dim.symbol_name());
  }
  known.erase(std::string_view());
  std::set<std::size_t> placed;
  for (const auto& [input, rank] : ranks) {
    const auto& dims = shape_in(trial, input).dims();
    for (std::size_t axis = 1; axis < dims.size(); ++axis) {
      if (known.contains(dims[axis].symbol_name())) placed.insert(input);
    }
  }
  return placed;
}

// Batches that are broadcast with each other are no sizes computed from others.
RankSearch::Assignment RankSearch::assess_with_one_batch(const Assignment& found) {
  if (found.composed == 0) return found;
  const Trial trial = try_names(found.ranks, true);
  if (trial.error) return found;
  Assignment other = assess(found.ranks, trial);
  return other.composed < found.composed ? other : found;
}

std::size_t RankSearch::count_composed(const Trial& trial) const {
  const Model& model = runner_.model();
  std::size_t count = 0;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].role != VariableRole::kInput || !model.nodes[i].live) continue;
    const auto& dims = shape_in(trial, i).dims();
    count += static_cast<std::size_t>(std::count_if(dims.begin(), dims.end(), [](const Dim& dim) {
      return dim.is_symbolic() && dim.symbol_name().empty();
    }));
  }
  return count;
}

std::size_t RankSearch::count_uneven(const Trial& trial) const {
  const Model& model = runner_.model();
  std::size_t count = 0;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (!model.nodes[i].live || !is_broadcast_function(raw)) continue;
    const auto& a = trial.types.entries[model.entry(raw.inputs[0])].type.shape;
    const auto& b = trial.types.entries[model.entry(raw.inputs[1])].type.shape;
    if (a.known_rank() && b.known_rank() && a.rank() != b.rank() && a.rank() * b.rank() != 0)
      ++count;
  }
  return count;
}

// Whether the model says something of the input: a size, or what it is for.
bool RankSearch::is_anchored(const Assignment& best, std::size_t input) const {
  return preferred_rank(runner_.model(), input) || has_number(best.shapes.at(input)) ||
         best.placed.contains(input);
}

// An input that could have another rank has to be one of which the model says something, or the
// others of these leave it no choice. Notes that there was one.
bool RankSearch::may_be_chosen(const Assignment& best, std::size_t input) {
  RankChoice choice{.input = input, .ranks = {best.ranks.at(input)}};
  bool is_forced = true;
  for (const auto& other : fitting_) {
    if (std::tie(other.singles, other.composed, other.uneven) >
        std::tie(best.singles, best.composed, best.uneven)) {
      continue;
    }
    choice.ranks.insert(other.ranks.at(input));
    const bool agrees = std::all_of(best.ranks.begin(), best.ranks.end(), [&](const auto& entry) {
      return !is_anchored(best, entry.first) || other.ranks.at(entry.first) == entry.second;
    });
    if (agrees && other.ranks.at(input) != best.ranks.at(input)) is_forced = false;
  }
  if (choice.ranks.size() == 1) return true;
  if (!is_forced && !is_anchored(best, input)) return false;
  choices_.push_back(std::move(choice));
  return true;
}

// Of many inputs not all combinations can be tried.
bool RankSearch::take_preferred(const std::vector<std::size_t>& open) {
  Ranks ranks;
  for (const auto input : open) {
    const auto rank = preferred_rank(runner_.model(), input);
    if (rank) ranks[input] = *rank;
  }
  if (ranks.empty() || try_ranks(ranks).error) return false;
  for (const auto& [input, rank] : ranks) {
    choices_.push_back({.input = input, .ranks = {rank}});
    shapes_[input] = Shape::unknown_dims(rank);
  }
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
    std::erase_if(choices_, [&, of = input](const auto& choice) { return choice.input == of; });
    choices_.push_back({.input = input, .flattened = values});
    shape = shapes[input];
  }
}

}  // namespace mx2onnx
