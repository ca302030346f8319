#include "ops/tensor/slice_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace mx2onnx {

std::vector<AttrProblem> check_slice_ranges(const OptionalTuple& begin, const OptionalTuple& end,
                                            const OptionalTuple& step) {
  std::vector<AttrProblem> problems;
  const auto expect = [&](std::string_view name, std::size_t size) {
    if (size == begin.size()) return;
    problems.push_back({std::string(name),
                        fmt::format("expected {} elements as in begin, got {}", begin.size(), size),
                        ""});
  };
  expect("end", end.size());
  if (!step.empty()) expect("step", step.size());
  if (std::any_of(step.begin(), step.end(), [](const auto& s) { return s == 0; })) {
    problems.push_back({"step", "expected steps other than 0, got 0", ""});
  }
  return problems;
}

}  // namespace mx2onnx
