#include "convert/rank_search.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/attempt.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostRank = 5;
constexpr std::size_t kIndexRank = 2;  // a batch of sequences

bool has_number(const Shape& shape) {
  return std::any_of(shape.dims().begin(), shape.dims().end(),
                     [](const Dim& dim) { return dim.is_constant(); });
}

// A size of 1 that a weight asks for is an axis too many.
bool has_single(const Shape& shape) {
  return std::any_of(shape.dims().begin(), shape.dims().end(),
                     [](const Dim& dim) { return dim.is_constant() && dim.value() == 1; });
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
    if (open.empty()) return true;
    if (!kCanAttempt || !settle_one(open)) return false;
  }
}

RankSearch::Fitting RankSearch::fitting(std::size_t input) {
  Fitting fits;
  for (std::size_t rank = 1; rank <= kMostRank; ++rank) {
    auto shapes = shapes_;
    shapes[input] = Shape::unknown_dims(rank);
    Supposition supposition = runner_.with_hidden_names(std::move(shapes));
    supposition.allow_unknown = true;
    Trial trial = runner_.run(supposition);
    if (!trial.error) fits.emplace(rank, std::move(trial));
  }
  return fits;
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

// An input for which one rank fits comes before those that leave a choice, which it may end.
bool RankSearch::settle_one(const std::vector<std::size_t>& open) {
  std::map<std::size_t, Fitting> choices;
  for (const auto input : open) {
    Fitting fits = fitting(input);
    if (fits.empty()) {
      const auto rank = nearly_fitting(input);
      if (!rank) return false;
      shapes_[input] = Shape::unknown_dims(*rank);
      return true;
    }
    if (fits.size() == 1) {
      shapes_[input] = Shape::unknown_dims(fits.begin()->first);
      return true;
    }
    choices.emplace(input, std::move(fits));
  }
  for (const auto& [input, fits] : choices) {
    if (const auto rank = preferred(input, fits)) {
      choose(input, *rank, fits);
      return true;
    }
  }
  return false;
}

void RankSearch::choose(std::size_t input, std::size_t rank, const Fitting& fits) {
  shapes_[input] = Shape::unknown_dims(rank);
  const std::string& name = runner_.input_name(input);
  choices_.push_back(
      {"W-rank-chosen", name,
       fmt::format("input '{}' can have {} to {} dimensions: {} {} taken", name,
                   fits.begin()->first, fits.rbegin()->first, rank, rank == 1 ? "is" : "are")});
}

const Shape& RankSearch::shape_in(const Trial& trial, std::size_t input) const {
  return trial.types.entries[runner_.model().first_entry[input]].type.shape;
}

std::optional<std::size_t> RankSearch::preferred(std::size_t input, const Fitting& fits) const {
  std::vector<std::size_t> ranks;
  for (const auto& [rank, trial] : fits) {
    if (!has_single(shape_in(trial, input))) ranks.push_back(rank);
  }
  if (ranks.size() == 1) return ranks[0];
  const auto has = [&](std::size_t rank) {
    return std::find(ranks.begin(), ranks.end(), rank) != ranks.end();
  };
  if (is_index(input)) return has(kIndexRank) ? std::optional(kIndexRank) : std::nullopt;
  // Where no weight says anything of the input, nothing tells what is meant.
  for (const auto rank : ranks) {
    if (rank >= 2 && has_number(shape_in(fits.at(rank), input))) return rank;
  }
  return std::nullopt;
}

// Whether the input selects rows of a table, behind conversions.
bool RankSearch::is_index(std::size_t input) const {
  static const std::set<std::string_view> kConversions = {"Cast", "cast", "amp_cast", "_copy",
                                                          "identity"};
  static const std::set<std::string_view> kTables = {"Embedding", "_npx_embedding"};
  const Model& model = runner_.model();
  std::vector<char> reached(model.nodes.size(), 0);
  reached[input] = 1;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (!model.nodes[i].live || raw.inputs.empty() || reached[raw.inputs[0].node] == 0) continue;
    if (kTables.contains(raw.op)) return true;
    if (kConversions.contains(raw.op)) reached[i] = 1;
  }
  return false;
}

}  // namespace mx2onnx
