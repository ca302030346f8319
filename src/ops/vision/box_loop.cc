// Non-maximum suppression without ONNX's operator for it: a loop over the boxes, the best first.
#include "onnx/opset.h"
#include "ops/expressions/matrices.h"
#include "ops/vision/box.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// MXNet's a > b ? a : b, and the same with <: of a NaN the second one.
Value larger(Builder& b, Value x, Value y) { return b.where(b.binary("Greater", x, y), x, y); }
Value smaller(Builder& b, Value x, Value y) { return b.where(b.binary("Less", x, y), x, y); }

struct Extents {
  Value width;
  Value height;
};

Extents extents(Builder& b, Value sizes) {
  return {b.gather(sizes, b.int_scalar(0), 2), b.gather(sizes, b.int_scalar(1), 2)};
}

Value area(Builder& b, const Stepwise& steps, Value sizes) {
  const auto [width, height] = extents(b, sizes);
  const Value zero = steps.number(0);
  const Value is_empty =
      b.binary("Or", b.binary("Less", width, zero), b.binary("Less", height, zero));
  return b.where(is_empty, zero, steps.mul(width, height));
}

}  // namespace

Value keep_in_turn(Builder& b, const Stepwise& steps, BoxFormat format, Value boxes, Value classes,
                   Value valid, double threshold) {
  Value low = box_columns(b, boxes, 0, 2);
  Value high = box_columns(b, boxes, 2, 2);
  Value sizes = high;
  const bool is_center = format == BoxFormat::kCenter;
  if (is_center) {
    const Value half = steps.mul(high, steps.number(0.5));
    const Value center = low;
    low = steps.sub(center, half);
    high = steps.add(center, half);
  } else {
    sizes = steps.sub(high, low);
  }
  const Value areas = area(b, steps, sizes);
  const Dim count = b.shape(boxes)[1];
  const Value numbers = counting(b, count);
  const auto step = [&](Value turn, const std::vector<Value>& states) -> std::vector<Value> {
    const Value kept = states[0];
    const auto own = [&](Value all) { return onnx::unsqueeze(b, b.gather(all, turn, 1), {1}); };
    const Value ends = is_center ? smaller(b, high, own(high)) : smaller(b, own(high), high);
    const Value starts = is_center ? larger(b, low, own(low)) : larger(b, own(low), low);
    const auto [width, height] = extents(b, larger(b, steps.sub(ends, starts), steps.number(0)));
    const Value shared = steps.mul(width, height);
    const Value all = steps.sub(steps.add(own(areas), areas), shared);
    const Value limit = b.scalar(steps.computing(), static_cast<float>(threshold));
    Value dropped = b.binary("Greater", steps.div(shared, all), limit);
    dropped = b.binary("And", dropped, b.binary("Greater", numbers, turn));
    dropped = b.binary("And", dropped, own(kept));
    if (classes.present()) {
      dropped = b.binary("And", dropped, b.binary("Equal", own(classes), classes));
    }
    return {b.binary("And", kept, b.unary("Not", dropped))};
  };
  return counted_loop(b, count, {valid}, step)[0];
}

}  // namespace mx2onnx
