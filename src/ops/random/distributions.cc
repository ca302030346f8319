#include "ops/random/distributions.h"

#include <fmt/format.h>

namespace mx2onnx {

void refuse_draws(Translation& t, DType dtype) {
  t.refuse(fmt::format("MXNet does not draw {}", dtype_name(dtype)));
}

void translate_draws(Translation& t, DrawFunction draw, const DrawParameters& parameters) {
  const DType dtype = t.output_type(0).dtype;
  if (!is_floating(dtype)) return refuse_draws(t, dtype);
  warn_of_draws(t);
  const DType drawn_in = draw_dtype(dtype);
  const std::vector<onnx::Value> values = parameters(drawn_in);
  Draws draws(t.b, t.output_shape(0), drawn_in);
  t.set_output(0, t.b.cast(draw(draws, values), dtype));
}

}  // namespace mx2onnx
