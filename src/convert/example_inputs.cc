// See example_inputs.h.
#include "convert/example_inputs.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "base/attempt.h"

namespace mx2onnx {
namespace {

// Each trial costs an inference.
constexpr std::size_t kMostTrials = 1'000;
constexpr std::size_t kMostNodesTried = 60'000;
constexpr std::size_t kUsualChoices = 4;

using Numbers = std::map<std::string, std::int64_t>;

// Pairs of sizes, those of nearly square images first, of these the larger ones.
std::vector<std::pair<std::int64_t, std::int64_t>> pairs_of_sizes() {
  constexpr std::array<std::int64_t, 26> kSizes = {1,  2,  3,  4,  5,   6,   7,   8,  10,
                                                   12, 14, 16, 20, 24,  28,  32,  40, 48,
                                                   56, 64, 80, 96, 112, 128, 224, 256};
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (const auto a : kSizes) {
    for (const auto b : kSizes) pairs.emplace_back(a, b);
  }
  const auto unevenness = [](const auto& pair) {
    return static_cast<double>(std::max(pair.first, pair.second)) /
           static_cast<double>(std::min(pair.first, pair.second));
  };
  std::stable_sort(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) {
    return std::pair(unevenness(a), -a.first) < std::pair(unevenness(b), -b.first);
  });
  return pairs;
}

class ExampleSearch {
 public:
  ExampleSearch(TrialRunner& runner, const std::map<std::size_t, Shape>& shapes,
                const std::vector<std::size_t>& open)
      : runner_(runner), shapes_(shapes), open_(open), before_(runner.numbers) {}

  std::optional<Trial> run() {
    std::optional<Trial> found;
    for (const auto rank : ranks()) {
      found = with_rank(rank);
      if (found || is_over()) break;
    }
    runner_.numbers = before_;
    return found;
  }

 private:
  // For inputs of which not even that is known; an image if the model has but one.
  std::vector<std::size_t> ranks() const {
    const bool has_rank = std::all_of(open_.begin(), open_.end(), [&](std::size_t input) {
      return shapes_.contains(input) || runner_.model().nodes[input].declared.shape.known_rank();
    });
    if (has_rank) return {0};
    const auto& nodes = runner_.model().nodes;
    const auto inputs = std::count_if(nodes.begin(), nodes.end(), [](const ModelNode& node) {
      return node.role == VariableRole::kInput && node.live;
    });
    return inputs == 1 ? std::vector<std::size_t>{4, 2, 3, 1, 5}
                       : std::vector<std::size_t>{2, 3, 1, 4};
  }

  std::optional<Trial> with_rank(std::size_t rank) {
    ranked_ = shapes_;
    for (const auto input : open_) {
      if (rank > 0) ranked_.try_emplace(input, Shape::unknown_dims(rank));
    }
    sizes_.clear();
    // Who gives an image gives numbers, for most nets take one size of it.
    if (rank == 4) {
      attempt_with({}, true);
    } else if (auto found = attempt_with({}, true)) {
      return found;
    }
    for (const bool free_batch : {true, false}) {
      for (std::size_t choice = 0; choice < kUsualChoices; ++choice) {
        if (auto found = attempt_with(usual(choice), free_batch)) return found;
      }
      if (auto found = with_pairs({}, free_batch)) return found;
      if (auto found = with_pairs(usual(0), free_batch)) return found;
    }
    return std::nullopt;
  }

  // Numbers of the sides of an image, or of the first two sizes, beside those of others.
  std::optional<Trial> with_pairs(const Numbers& others, bool free_batch) {
    static const auto pairs = pairs_of_sizes();
    if (sizes_.empty()) return std::nullopt;
    const bool has_sides = sizes_.contains("height") && sizes_.contains("width");
    const std::string first = has_sides ? "height" : *sizes_.begin();
    const std::string second = has_sides ? "width" : *sizes_.rbegin();
    for (const auto& [a, b] : pairs) {
      if (is_over()) break;
      if (first == second && a != b) continue;
      Numbers numbers = others;
      numbers[first] = a;
      numbers[second] = b;
      if (auto found = attempt_with(numbers, free_batch)) return found;
    }
    return std::nullopt;
  }

  Numbers usual(std::size_t choice) const {
    Numbers numbers;
    for (const auto& name : sizes_) {
      const auto size = usual_size(name, choice);
      numbers[name] = size != 0 ? size : usual_size(name, 0);
    }
    return numbers;
  }

  std::optional<Trial> attempt_with(const Numbers& numbers, bool free_batch) {
    runner_.numbers = before_;
    runner_.numbers.insert(numbers.begin(), numbers.end());
    if (!free_batch) runner_.numbers.try_emplace(std::string(kBatch), 1);
    Supposition supposition{.shapes = ranked_};
    supposition.name = [this](const InputAxis& axis, std::size_t rank) {
      std::string name(usual_meaning(rank, axis.second));
      // Features are not as many as an image has channels.
      if (rank == 3 && axis.second == 2) name = "feature_channels";
      if (name != kBatch) sizes_.insert(name);
      return name;
    };
    ++trials_;
    Trial trial = runner_.run(supposition);
    if (trial.error || !is_sayable(trial)) return std::nullopt;
    return trial;
  }

  // Whether all sizes are numbers or names.
  bool is_sayable(const Trial& trial) const {
    return std::all_of(open_.begin(), open_.end(), [&](std::size_t input) {
      const Shape& shape = trial.types.entries[runner_.model().first_entry[input]].type.shape;
      return std::all_of(shape.dims().begin(), shape.dims().end(), [](const Dim& dim) {
        return dim.is_constant() || !dim.symbol_name().empty();
      });
    });
  }

  bool is_over() const {
    return trials_ > kMostTrials || trials_ * runner_.model().nodes.size() > kMostNodesTried;
  }

  TrialRunner& runner_;
  const std::map<std::size_t, Shape>& shapes_;
  const std::vector<std::size_t>& open_;
  Numbers before_;
  std::map<std::size_t, Shape> ranked_;
  std::set<std::string> sizes_;  // that were asked for, other than the batch
  std::size_t trials_ = 0;
};

}  // namespace

std::optional<Trial> find_example(TrialRunner& runner, const std::map<std::size_t, Shape>& shapes,
                                  const std::vector<std::size_t>& open) {
  if (!kCanAttempt) return std::nullopt;
  return ExampleSearch(runner, shapes, open).run();
}

}  // namespace mx2onnx
