#include "mxnet/parameters.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/star_pattern.h"

namespace mx2onnx::mxnet {
namespace {

// Programs that put the prefixes on names that have them already are not rare.
std::string_view without_prefix(std::string_view name) {
  while (name.starts_with("arg:") || name.starts_with("aux:")) name.remove_prefix(4);
  return name;
}

}  // namespace

std::string rename(std::string_view name, const std::vector<RenameRule>& rules) {
  for (const auto& rule : rules) {
    const auto captures = match_stars(name, rule.from);
    if (!captures) continue;
    std::string result;
    std::size_t next = 0;
    for (const char c : rule.to) {
      if (c == '*' && next < captures->size()) {
        result += (*captures)[next++];
      } else {
        result += c;
      }
    }
    return result;
  }
  return std::string(name);
}

void ParameterSet::add(std::vector<StoredArray> arrays, const std::string& source,
                       const std::vector<RenameRule>& rules) {
  const ErrorScope scope = ErrorScope::file(source);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (arrays[i].name.empty()) {
      fail(ErrorCode::kModel, fmt::format("array {} of {} has no name", i + 1, arrays.size()),
           "a list saved by mx.nd.save without names cannot be matched with a symbol");
    }
    std::string name = rename(without_prefix(arrays[i].name), rules);
    // An array that does not exist is as good as not stored.
    if (arrays[i].tensor.data == nullptr) continue;
    const auto [entry, added] =
        by_name_.try_emplace(std::move(name), Entry{std::move(arrays[i].tensor), source});
    if (!added) {
      fail(ErrorCode::kModel,
           entry->second.source == source
               ? fmt::format("parameter '{}' is stored twice", entry->first)
               : fmt::format("parameter '{}' is also in {}", entry->first, entry->second.source));
    }
  }
}

const Tensor* ParameterSet::find(std::string_view name) const {
  const auto entry = by_name_.find(name);
  return entry == by_name_.end() ? nullptr : &entry->second.tensor;
}

std::vector<std::string> ParameterSet::names() const {
  std::vector<std::string> result;
  result.reserve(by_name_.size());
  for (const auto& [name, entry] : by_name_) result.push_back(name);
  return result;
}

}  // namespace mx2onnx::mxnet
