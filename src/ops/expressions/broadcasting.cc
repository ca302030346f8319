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
      const bool fits = l == r || l == Dim(1) || r == Dim(1);
      // A free size may turn out to fit.
      if (l.is_constant() && r.is_constant() && !fits) {
        c.fail_input(input, fmt::format("a shape that broadcasts with {}", shape.to_string()));
      }
    }
    shape = input == 0 ? next : onnx::broadcast(shape, next);
  }
  return shape;
}

void infer_broadcast_shapes(InferContext& c) { c.set_output_shape(0, broadcast_inputs(c)); }

bool may_broadcast_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (std::size_t back = 1; back <= from.rank(); ++back) {
    const Dim& size = from[from.rank() - back];
    const Dim& wanted = to[to.rank() - back];
    const bool is_open = !size.is_constant() || !wanted.is_constant();
    if (!is_open && size != Dim(1) && size != wanted) return false;
  }
  return true;
}

}  // namespace mx2onnx
