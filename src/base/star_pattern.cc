#include "base/star_pattern.h"

#include "base/text.h"

namespace mx2onnx {

std::optional<std::vector<std::string_view>> match_stars(std::string_view name,
                                                         std::string_view pattern) {
  const auto literals = split(pattern, '*');
  if (!name.starts_with(literals.front())) return std::nullopt;
  name.remove_prefix(literals.front().size());
  if (literals.size() == 1) {
    if (!name.empty()) return std::nullopt;
    return std::vector<std::string_view>{};
  }
  if (!name.ends_with(literals.back())) return std::nullopt;
  name.remove_suffix(literals.back().size());
  std::vector<std::string_view> captures;
  for (std::size_t i = 1; i + 1 < literals.size(); ++i) {
    const auto at = name.find(literals[i]);
    if (at == std::string_view::npos) return std::nullopt;
    captures.push_back(name.substr(0, at));
    name.remove_prefix(at + literals[i].size());
  }
  captures.push_back(name);
  return captures;
}

}  // namespace mx2onnx
