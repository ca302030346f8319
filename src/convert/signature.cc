#include "convert/signature.h"

#include <algorithm>

#include "base/attempt.h"
#include "base/error.h"
#include "convert/unknown_inputs.h"

namespace mx2onnx {
namespace {

constexpr std::string_view kBatch = "batch";
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

Diagnostic describe_fixed(const FixedSize& fixed) {
  const SizeSolution& found = fixed.solution;
  if (found.multiple != 0) {
    std::string text = fmt::format(
        "size '{}' is free on a condition: '{}' needs {} to be {}, as for multiples of {}",
        found.symbol->name, fixed.node, atom_text(*found.atom), found.size.to_string(),
        found.multiple);
    if (found.broadcasts_up_to != 0) {
      text += fmt::format("; up to {}, other sizes may give numbers where MXNet gives an error",
                          found.broadcasts_up_to);
    }
    return {"W-dim-condition", fixed.node, std::move(text)};
  }
  std::string size = found.size.to_string();
  if (found.lowest != found.highest)
    size = fmt::format("{} to {}: {} is taken", found.lowest, found.highest, size);
  return {"W-dim-fixed", fixed.node,
          fmt::format("size '{}' is not free: '{}' needs it to be {}", found.atom->name, fixed.node,
                      size)};
}

std::string quoted_list(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    const bool is_last = name == *names.rbegin();
    if (!text.empty()) text += is_last ? " and " : ", ";
    text += "'" + name + "'";
  }
  return (names.size() == 1 ? "size " : "sizes ") + text;
}

}  // namespace

// The shapes of the training are what is used where it is not clear without them.
const InferResult& SignatureSolver::solve(const Use& use) {
  const auto first = attempt([&] { search(use); });
  const bool has_others = has_trained_shape(runner_.model(), options_);
  if (has_others && (first || leaves_a_choice())) {
    for (const auto trained : {TrainedShapes::kAllButBatch, TrainedShapes::kAll}) {
      runner_.trained = trained;
      if (!attempt([&] { search(use); })) return trial_.types;
    }
    runner_.trained = TrainedShapes::kRank;
    if (!first) search(use);
  }
  if (first) fail_again(*first);
  return trial_.types;
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
  prepare();
  std::map<std::string, std::int64_t> numbers;
  if (options_.batch) numbers[std::string(kBatch)] = *options_.batch;
  std::optional<Error> why;
  for (const auto& names : candidates_) {
    names_ = names;
    auto error = attempt_with(numbers, use);
    if (!why || !error) why = std::move(error);
    if (!why) break;
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
    fail_unknown_inputs(runner_, source_, open_, scan, why);
  }
  check_batch();
  if (options_.fixed_sizes) {
    const auto sizes = free_sizes();
    if (!sizes.empty()) {
      if (const auto error = fix(sizes, use)) fail_again(*error);
      say_numbers(sizes, "");
    }
  }
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
    fail_unknown_inputs(runner_, source_, without_rank.empty() ? open_ : without_rank, scan,
                        std::nullopt);
  }
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
  candidates_.clear();
  for (const auto same : {SameName::kForced, SameName::kBatches, SameName::kAll}) {
    auto names = name_axes(runner_.model(), scan.types, scan.named, same);
    if (candidates_.empty() || names != candidates_.back()) candidates_.push_back(std::move(names));
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
    say_numbers(sizes, why.what());
    return true;
  }
  if (attempt_with(numbers, use)) return false;  // what it gave before
  say_numbers(all, why.what());
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

void SignatureSolver::say_numbers(const std::set<std::string>& sizes, const std::string& why) {
  std::map<std::int64_t, std::set<std::string>> by_number;
  for (const auto& name : sizes) by_number[runner_.numbers.at(name)].insert(name);
  for (const auto& [number, names] : by_number) {
    std::string text = fmt::format("{} {} not left free: {} is taken", quoted_list(names),
                                   names.size() == 1 ? "is" : "are", number);
    if (!why.empty()) text += fmt::format(" ({})", why.substr(0, why.find('\n')));
    chosen_.push_back({"W-size-chosen", "", std::move(text)});
  }
}

// Of sizes that the user named, all; of the others what leaves a choice, restricts them, or is the
// number of rows.
void SignatureSolver::say_fixed(std::vector<Diagnostic>& said) const {
  const auto free = free_sizes();
  for (const auto& condition : runner_.conditions) {
    if (free.contains(condition.solution.symbol->name)) said.push_back(describe_fixed(condition));
  }
  const auto own = own_names();
  std::map<std::pair<std::int64_t, std::int64_t>, std::set<std::string>> ranges;
  for (const auto& fixed : trial_.fixed) {
    const SizeSolution& found = fixed.solution;
    const bool is_number = found.multiple == 0 && found.size.is_constant();
    if (found.multiple != 0) continue;
    if (!own.contains(found.atom->name) || (is_number && found.atom->name == kBatch)) {
      said.push_back(describe_fixed(fixed));
    } else if (is_number && found.lowest != found.highest) {
      ranges[{found.lowest, found.highest}].insert(found.atom->name);
    }
  }
  for (const auto& [range, names] : ranges) {
    for (const auto& fixed : trial_.fixed) {
      const SizeSolution& found = fixed.solution;
      if (!names.contains(found.atom->name) || found.multiple != 0) continue;
      said.push_back({"W-size-chosen", fixed.node,
                      fmt::format("{} can be {} to {}: {} is taken", quoted_list(names),
                                  range.first, range.second, found.size.to_string())});
      break;
    }
  }
}

std::vector<Diagnostic> SignatureSolver::diagnostics() const {
  std::vector<Diagnostic> said = ranks_.choices();
  said.insert(said.end(), runner_.conversions.begin(), runner_.conversions.end());
  say_fixed(said);
  said.insert(said.end(), chosen_.begin(), chosen_.end());
  return said;
}

}  // namespace mx2onnx
