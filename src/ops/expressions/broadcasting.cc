#include "ops/expressions/broadcasting.h"

#include <fmt/format.h>

#include <algorithm>

#include "onnx/builder.h"

namespace mx2onnx {

Shape broadcast_inputs(const InferContext& c) {
  Shape shape(std::vector<Dim>{});
  for (std::size_t input = 0; input < c.num_inputs(); ++input) {
    const Shape& next = c.input_shape(input);
    if (!next.known_rank()) return {};
    for (std::size_t i = 1; i <= std::min(shape.rank(), next.rank()); ++i) {
      const Dim& l = shape[shape.rank() - i];
      const Dim& r = next[next.rank() - i];
      if (clash(l, r) && clash(r, l)) {
        c.fail_input(input, fmt::format("a shape that broadcasts with {}", shape.to_string()));
      }
    }
    shape = onnx::broadcast(shape, next);
  }
  return shape;
}

void infer_broadcast_shapes(InferContext& c) { c.set_output_shape(0, broadcast_inputs(c)); }

bool clash(const Dim& from, const Dim& to) {
  return from.is_constant() && to.is_constant() && !(from == to) && !(from == Dim(1));
}

bool may_broadcast_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (std::size_t back = 1; back <= from.rank(); ++back) {
    if (clash(from[from.rank() - back], to[to.rank() - back])) return false;
  }
  return true;
}

}  // namespace mx2onnx
