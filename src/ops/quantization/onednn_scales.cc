// See onednn_scales.h.
#include "ops/quantization/onednn_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr float kStepOfNothing =
    1.0F / static_cast<float>(std::numeric_limits<std::int32_t>::max());

}  // namespace

float kernel_step(DType dtype, double least, double most) {
  const float largest =
      std::max(std::abs(static_cast<float>(least)), std::abs(static_cast<float>(most)));
  return largest == 0 ? kStepOfNothing : largest / num_steps(dtype, Steps::kHalf);
}

Value kernel_step(Builder& b, DType dtype, const Range& range) {
  const Value step = step_of(b, range, dtype, Steps::kHalf);
  const Value nothing = number(b, kStepOfNothing);
  if (const auto known = known_number(b, step)) return *known == 0 ? nothing : step;
  return b.where(b.binary("Equal", step, number(b, 0)), nothing, step);
}

bool expect_finite_range(Translation& t, const Range& range) {
  for (const Value end : {range.min, range.max}) {
    const auto known = known_number(t.b, end);
    if (!known || std::isfinite(*known)) continue;
    t.refuse(fmt::format("expected a finite range, found {}", *known));
    return false;
  }
  return true;
}

}  // namespace mx2onnx
