#include "ops/math/broadcasting.h"

#include <fmt/format.h>

#include <algorithm>

#include "onnx/builder.h"

namespace mx2onnx {

void infer_broadcast_shapes(InferContext& c) {
  Shape shape = c.input_shape(0);
  for (std::size_t input = 1; input < c.num_inputs(); ++input) {
    const Shape& next = c.input_shape(input);
    if (!shape.known_rank() || !next.known_rank()) return;
    for (std::size_t i = 1; i <= std::min(shape.rank(), next.rank()); ++i) {
      const Dim& l = shape[shape.rank() - i];
      const Dim& r = next[next.rank() - i];
      const bool fits = l == r || l == Dim(1) || r == Dim(1);
      // A free size may turn out to fit.
      if (l.is_constant() && r.is_constant() && !fits) {
        c.fail_input(input, fmt::format("a shape that broadcasts with {}", shape.to_string()));
      }
    }
    shape = onnx::broadcast(shape, next);
  }
  c.set_output_shape(0, shape);
}

}  // namespace mx2onnx
