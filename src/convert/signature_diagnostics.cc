// What is said of a signature that was found.
#include <algorithm>

#include "convert/signature.h"
#include "convert/signature_words.h"

namespace mx2onnx {
namespace {

std::string in_capitals(std::string name) {
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

}  // namespace

void SignatureSolver::say_numbers(const std::set<std::string>& sizes,
                                  const std::optional<Error>& why) {
  std::map<std::int64_t, std::set<std::string>> by_number;
  for (const auto& name : sizes) by_number[runner_.numbers.at(name)].insert(name);
  for (const auto& [number, names] : by_number) {
    std::string text = fmt::format("{} {} not left free: {} is taken", quoted_sizes(names),
                                   names.size() == 1 ? "is" : "are", number);
    if (why) {
      text += why->place().node.empty()
                  ? fmt::format(" ({})", why->message())
                  : fmt::format(" ('{}': {})", why->place().node, why->message());
      text += otherwise(option_for(names));
    }
    chosen_.push_back({"W-size-chosen", "", std::move(text)});
  }
}

// What says other numbers for these sizes: their first input, with the sizes in capitals.
std::string SignatureSolver::option_for(const std::set<std::string>& sizes) const {
  for (const auto& [axis, name] : names_) {
    if (!sizes.contains(name)) continue;
    const std::size_t input = axis.first;
    const Shape& shape = shape_of(input);
    std::vector<std::string> dims;
    for (std::size_t i = 0; i < shape.rank(); ++i) {
      const auto found = names_.find({input, i});
      const bool is_chosen = found != names_.end() && sizes.contains(found->second);
      dims.push_back(is_chosen ? in_capitals(found->second) : shape[i].to_string());
    }
    return input_option(runner_.input_name(input), dims);
  }
  return {};
}

// Of sizes that the user named, all; of the others what leaves a choice, restricts them, or is the
// number of rows. A condition is forgotten where its size became a number.
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
      said.push_back(
          {"W-size-chosen", fixed.node,
           fmt::format("{} can be {} to {}: {} is taken{}", quoted_sizes(names), range.first,
                       range.second, found.size.to_string(), otherwise(option_for(names)))});
      break;
    }
  }
  say_squares(ranges, said);
}

void SignatureSolver::say_squares(const SizeRanges& ranges, std::vector<Diagnostic>& said) const {
  for (const auto& axis : squares_) {
    const auto first = names_.find(axis);
    const auto second = names_.find({axis.first, axis.second + 1});
    if (first == names_.end() || second == names_.end()) continue;
    const bool is_range = std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
      return range.second.contains(first->second);
    });
    const Dim& side = shape_of(axis.first)[axis.second];
    if (is_range || !side.is_constant()) continue;
    const std::set<std::string> names = {first->second, second->second};
    said.push_back(
        {"W-size-chosen", "",
         fmt::format("{} are known by their product only: a square of {} is taken{}",
                     quoted_sizes(names), side.to_string(), otherwise(option_for(names)))});
  }
}

void SignatureSolver::say_ranks(std::vector<Diagnostic>& said) const {
  for (const auto& choice : ranks_.choices()) {
    const std::string& name = runner_.input_name(choice.input);
    said.push_back(describe_rank(choice, name, shape_of(choice.input)));
  }
}

std::vector<Diagnostic> SignatureSolver::diagnostics() const {
  std::vector<Diagnostic> said;
  say_ranks(said);
  said.insert(said.end(), runner_.conversions.begin(), runner_.conversions.end());
  say_fixed(said);
  said.insert(said.end(), chosen_.begin(), chosen_.end());
  return said;
}

}  // namespace mx2onnx
