// See signature_words.h.
#include "convert/signature_words.h"

#include <fmt/format.h>

#include "base/shell_word.h"

namespace mx2onnx {
namespace {

// "3 or 4", "1 to 5".
std::string number_of_dimensions(const std::set<std::size_t>& ranks) {
  const std::size_t lowest = *ranks.begin();
  const std::size_t highest = *ranks.rbegin();
  if (ranks.size() == 1) return "another number of";
  return fmt::format("{} {} {}", lowest, ranks.size() == 2 ? "or" : "to", highest);
}

}  // namespace

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

Diagnostic describe_rank(const RankChoice& choice, const std::string& input, const Shape& shape) {
  const std::string taken = shape.to_string();
  if (choice.flattened != 0) {
    return {"W-rank-chosen", input,
            fmt::format("input '{}' is flattened first: {} is taken, (batch, {}) would do as well",
                        input, taken, choice.flattened) +
                otherwise(input_option(input, {"batch", std::to_string(choice.flattened)}))};
  }
  return {"W-rank-chosen", input,
          fmt::format("input '{}' can have {} dimensions: {} is taken", input,
                      number_of_dimensions(choice.ranks), taken) +
              otherwise(input_option(input, {"SHAPE"}))};
}

std::string quoted_sizes(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    const bool is_last = name == *names.rbegin();
    if (!text.empty()) text += is_last ? " and " : ", ";
    text += "'" + name + "'";
  }
  return (names.size() == 1 ? "size " : "sizes ") + text;
}

std::string input_option(const std::string& input, const std::vector<std::string>& dims) {
  return "--input " + shell_word(fmt::format("{}:{}", input, fmt::join(dims, ",")));
}

std::string otherwise(const std::string& option) {
  return option.empty() ? "" : "; otherwise say " + option;
}

}  // namespace mx2onnx
