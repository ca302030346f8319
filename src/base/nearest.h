// Guessing what was meant by a name that does not exist. All of it is in the header because the
// command line guesses too, and the shared library shows nothing of this folder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mx2onnx {

/// Levenshtein's distance of two short texts, with small and capital letters of ASCII the same.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    const auto small = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return small(x) == small(y);
  };
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

/// The candidates most like `name`, best first, at most `most`; unlike ones are left out.
inline std::vector<std::string> nearest(std::string_view name,
                                        std::span<const std::string> candidates,
                                        std::size_t most = 3) {
  constexpr std::size_t kLongestName = 256;
  if (name.size() > kLongestName) return {};
  std::vector<std::pair<std::size_t, const std::string*>> ranked;
  for (const auto& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance <= std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3)) {
      ranked.emplace_back(distance, &candidate);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> result;
  for (const auto& entry : ranked) {
    if (result.size() == most) break;
    result.push_back(*entry.second);
  }
  return result;
}

}  // namespace mx2onnx
