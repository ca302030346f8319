#include "ops/expressions/sliding_window.h"

#include <fmt/format.h>

#include "base/error.h"

namespace mx2onnx {

Dim SlidingWindow::windows(std::size_t i, const Dim& size) const {
  padded_size(size, pad_at(i), window(i));
  return strided_size(size, window(i), stride_at(i), pad_at(i));
}

Dim padded_size(const Dim& size, std::int64_t pad, std::int64_t window) {
  const Dim padded = size + 2 * pad;
  if (padded.is_constant() && padded.value() < window) {
    fail(ErrorCode::kModel, fmt::format("the window of {} does not fit the padded input of {}",
                                        window, padded.value()));
  }
  return padded;
}

void check_elements(std::string name, const Tuple& tuple, std::size_t expected,
                    std::vector<AttrProblem>& problems) {
  if (tuple.empty() || tuple.size() == expected) return;
  problems.push_back(
      {std::move(name),
       fmt::format("expected {} elements as in kernel, got {}", expected, tuple.size()), ""});
}

}  // namespace mx2onnx
