#include "convert/signature.h"

#include <algorithm>

#include "base/attempt.h"
#include "base/error.h"
#include "convert/rank_preference.h"
#include "convert/unknown_inputs.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostChoices = 4;

void collect_symbols(const Dim& dim, std::set<std::string>& names) {
  if (!dim.is_symbolic()) return;
  for (const auto& term : dim.expr()->terms) {
    for (const DimAtom* atom : term.atoms) {
      if (atom->kind == DimAtom::Kind::kSymbol) names.insert(atom->name);
      collect_symbols(atom->a, names);
      collect_symbols(atom->b, names);
    }
  }
}

}  // namespace

// The shapes of the training are what is used where it is not clear without them.
void SignatureSolver::solve(const Use& use) {
  const auto first = attempt([&] { search(use); });
  const bool has_others = has_trained_shape(runner_.model(), options_);
  if (has_others && (first || leaves_a_choice())) {
    for (const auto trained : {TrainedShapes::kAllButBatch, TrainedShapes::kAll}) {
      runner_.trained = trained;
      if (!attempt([&] { search(use); })) return;
    }
    runner_.trained = TrainedShapes::kRank;
    if (!first) search(use);
  }
  if (first) fail_again(*first);
}

bool SignatureSolver::leaves_a_choice() const {
  return !chosen_.empty() ||
         std::any_of(trial_.fixed.begin(), trial_.fixed.end(), [](const FixedSize& fixed) {
           return fixed.solution.lowest != fixed.solution.highest;
         });
}

void SignatureSolver::search(const Use& use) {
  ranks_.reset();
  candidates_.clear();
  chosen_.clear();
  squares_.clear();
  prepare();
  std::map<std::string, std::int64_t> numbers;
  if (options_.batch) numbers[std::string(kBatch)] = *options_.batch;
  std::optional<Error> why;
  for (const auto& names : candidates_) {
    names_ = names;
    auto error = attempt_with(numbers, use);
    if (!why || !error) why = std::move(error);
    if (!why && (&names == &candidates_.back() || !has_farfetched_input())) break;
  }
  if (why && !fix_few(*why, use)) {
    if (open_.empty() || was_used_) fail_again(*why);
    Supposition all_known = runner_.with_hidden_names(ranks_.shapes());
    all_known.allow_unknown = true;
    Trial scan = runner_.run(all_known);
    if (scan.error) {
      all_known.pass_over_failures = true;
      scan = runner_.run(all_known);
    }
    fail_unknown_inputs(runner_, source_, ranks_.shapes(), open_, scan, why);
  }
  if (!why) {
    share_names(use);
    settle_broadcasts(use);
  }
  check_batch();
  if (options_.fixed_sizes) {
    const auto sizes = free_sizes();
    if (!sizes.empty()) {
      if (const auto error = fix(sizes, use)) fail_again(*error);
      say_numbers(sizes, std::nullopt);
    }
  }
}

// Sizes that turned out to be equal get one name, the shortest, without having to be solved.
void SignatureSolver::share_names(const Use& use) {
  const auto own = own_names();
  std::map<std::string, std::string> better;
  for (const auto& fixed : trial_.fixed) {
    const SizeSolution& found = fixed.solution;
    if (found.multiple != 0) continue;
    std::string a = found.atom->name;
    std::string b(found.size.symbol_name());
    if (!own.contains(a) || !own.contains(b)) continue;
    while (better.contains(a)) a = better.at(a);
    while (better.contains(b)) b = better.at(b);
    if (a == b) continue;
    const bool is_a = std::pair(a.size(), a) < std::pair(b.size(), b);
    better[is_a ? b : a] = is_a ? a : b;
  }
  if (better.empty()) return;
  const Names before = names_;
  const auto numbers = runner_.numbers;
  for (auto& [axis, name] : names_) {
    while (better.contains(name)) name = better.at(name);
  }
  if (!attempt_with(numbers, use)) return;
  names_ = before;
  attempt_with(numbers, use);
}

// A size that is broadcast with a number, and is not the batch, is that number: it could be 1 only.
void SignatureSolver::settle_broadcasts(const Use& use) {
  const Model& model = runner_.model();
  const auto own = own_names();
  const auto before = runner_.numbers;
  auto numbers = before;
  const auto look_at = [&](const Dim& size, const Dim& with) {
    const std::string name(size.symbol_name());
    const bool settles = with.is_constant() && with.value() > 1 && name != kBatch;
    if (settles && own.contains(name)) numbers.try_emplace(name, with.value());
  };
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (!model.nodes[i].live || !is_broadcast_function(raw)) continue;
    const Shape& a = trial_.types.entries[model.entry(raw.inputs[0])].type.shape;
    const Shape& b = trial_.types.entries[model.entry(raw.inputs[1])].type.shape;
    for (std::size_t k = 1; k <= std::min(a.rank(), b.rank()); ++k) {
      look_at(a[a.rank() - k], b[b.rank() - k]);
      look_at(b[b.rank() - k], a[a.rank() - k]);
    }
  }
  if (numbers != before && attempt_with(numbers, use)) attempt_with(before, use);
}

bool SignatureSolver::has_farfetched_input() const {
  return std::any_of(open_.begin(), open_.end(), [&](std::size_t input) {
    const auto& dims = trial_.types.entries[runner_.model().first_entry[input]].type.shape.dims();
    return std::any_of(dims.begin(), dims.end(), is_farfetched);
  });
}

void SignatureSolver::check_batch() const {
  const auto has_batch = [](const InputSpec& spec) {
    return spec.dims && std::find(spec.dims->begin(), spec.dims->end(), kBatch) != spec.dims->end();
  };
  if (!options_.batch || own_names().contains(std::string(kBatch)) ||
      std::any_of(options_.inputs.begin(), options_.inputs.end(), has_batch)) {
    return;
  }
  fail(ErrorCode::kUsage, "batch: no input has a free size 'batch'");
}

// Which inputs are open, how many dimensions they have and what their sizes are called.
void SignatureSolver::prepare() {
  candidates_.emplace_back();
  if (runner_.all_declared()) return;
  Trial declared = runner_.run({.allow_unknown = true});
  if (declared.error) fail_again(*declared.error);
  open_ = runner_.open_inputs(declared.types, false);
  if (open_.empty()) return;
  if (!ranks_.run()) {
    Supposition known = runner_.with_hidden_names(ranks_.shapes());
    known.allow_unknown = true;
    known.pass_over_failures = true;
    const Trial scan = runner_.run(known);
    const auto without_rank = runner_.open_inputs(scan.types, true);
    fail_unknown_inputs(runner_, source_, ranks_.shapes(),
                        without_rank.empty() ? open_ : without_rank, scan, std::nullopt);
  }
  // What fails without any size being supposed is not about these.
  const Trial bare = runner_.run({.shapes = ranks_.shapes(), .allow_unknown = true});
  if (bare.error) fail_again(*bare.error);
  find_names();
}

void SignatureSolver::find_names() {
  Supposition hidden = runner_.with_hidden_names(ranks_.shapes());
  Trial scan = runner_.run(hidden);
  if (scan.error) {
    hidden = runner_.with_hidden_names(ranks_.shapes());
    hidden.allow_unknown = true;
    hidden.pass_over_failures = true;
    scan = runner_.run(hidden);
  }
  find_squares(scan);
  candidates_.clear();
  for (const auto same :
       {SameName::kForced, SameName::kBatches, SameName::kAllBatches, SameName::kAll}) {
    auto names = name_axes(runner_.model(), scan.types, scan.named, same);
    if (candidates_.empty() || names != candidates_.back()) candidates_.push_back(std::move(names));
  }
}

// Sides of an image that the model knows by an equation of both, which a square fulfils.
void SignatureSolver::find_squares(const Trial& scan) {
  if (scan.error || scan.fixed.empty()) return;
  Supposition apart = runner_.with_hidden_names(ranks_.shapes());
  // Under other names nothing says that they are sides.
  apart.name = [name = apart.name](const InputAxis& axis, std::size_t rank) {
    return name(axis, rank) + "?";
  };
  if (!runner_.run(apart).error) return;
  for (const auto& [name, axis] : scan.named) {
    const Shape& shape = scan.types.entries[runner_.model().first_entry[axis.first]].type.shape;
    const std::size_t next = axis.second + 1;
    const bool are_sides = shape.rank() == 4 && axis.second >= 1 && next < shape.rank() &&
                           shape[axis.second].is_constant() && shape[axis.second] == shape[next];
    if (are_sides) squares_.push_back(axis);
  }
}

std::optional<Error> SignatureSolver::attempt_with(
    const std::map<std::string, std::int64_t>& numbers, const Use& use) {
  Supposition supposition{.shapes = ranks_.shapes()};
  if (!open_.empty()) {
    supposition.name = [this](const InputAxis& axis, std::size_t rank) {
      const auto found = names_.find(axis);
      return found != names_.end() ? found->second : std::string(usual_meaning(rank, axis.second));
    };
  }
  runner_.numbers = numbers;
  trial_ = runner_.run(supposition);
  was_used_ = false;
  if (trial_.error) return trial_.error;
  was_used_ = true;
  return use(trial_.types);
}

// The usual numbers for some sizes, or the next usual ones.
std::optional<Error> SignatureSolver::fix(const std::set<std::string>& sizes, const Use& use) {
  std::optional<Error> first;
  const auto before = runner_.numbers;
  for (std::size_t choice = 0; choice < kMostChoices; ++choice) {
    auto numbers = before;
    bool has_more = choice == 0;
    for (const auto& name : sizes) {
      const std::int64_t number = usual_size(name, choice);
      has_more = has_more || number != 0;
      numbers[name] = number != 0 ? number : usual_size(name, 0);
    }
    if (!has_more) break;
    auto error = attempt_with(numbers, use);
    if (!error) return std::nullopt;
    if (!first) first = std::move(error);
  }
  runner_.numbers = before;
  return first;
}

// As few sizes as possible, and the batch last.
bool SignatureSolver::fix_few(const Error& why, const Use& use) {
  if (open_.empty()) return false;
  names_ = candidates_[0];
  const std::map<std::string, std::int64_t> before = runner_.numbers;
  const bool was_used = was_used_;
  std::set<std::string> all = own_names();
  for (const auto& fixed : trial_.fixed) all.erase(fixed.solution.atom->name);
  for (const auto& [name, number] : before) all.erase(name);
  if (all.empty() || fix(all, use)) {
    was_used_ = was_used;
    return false;
  }
  const auto numbers = runner_.numbers;
  std::vector<std::set<std::string>> sets;
  std::set<std::string> others = all;
  others.erase(std::string(kBatch));
  for (const auto& name : others) sets.push_back({name});
  if (others.size() > 1) sets.push_back(others);
  if (all.contains(std::string(kBatch)) && all.size() > 1) sets.push_back({std::string(kBatch)});
  for (const auto& sizes : sets) {
    runner_.numbers = before;
    if (fix(sizes, use)) continue;
    say_numbers(sizes, why);
    return true;
  }
  if (attempt_with(numbers, use)) return false;  // what it gave before
  say_numbers(all, why);
  return true;
}

std::set<std::string> SignatureSolver::own_names() const {
  std::set<std::string> names;
  for (const auto& [axis, name] : names_) names.insert(name);
  return names;
}

std::set<std::string> SignatureSolver::free_sizes() const {
  std::set<std::string> names;
  const Model& model = runner_.model();
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].role != VariableRole::kInput || !model.nodes[i].live) continue;
    for (const Dim& dim : trial_.types.entries[model.first_entry[i]].type.shape.dims())
      collect_symbols(dim, names);
  }
  return names;
}

}  // namespace mx2onnx
