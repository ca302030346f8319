// See reshaping.h.
#include "ops/expressions/reshaping.h"

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {
namespace {

// True if `a` is `b` times a whole number of at least 2.
bool is_multiple(const Dim& a, const Dim& b) {
  if (!a.is_symbolic() || !b.is_symbolic()) return false;
  const DimTerm& whole = a.expr()->terms.front();
  const DimTerm& part = b.expr()->terms.front();
  if (part.coefficient <= 0 || whole.coefficient % part.coefficient != 0) return false;
  const std::int64_t factor = whole.coefficient / part.coefficient;
  return factor > 1 && a == b * factor;
}

}  // namespace

void fail_reshape(std::string_view shape, const Shape& from, std::string_view why) {
  fail(ErrorCode::kModel,
       fmt::format("{} does not apply to an input of shape {}: {}", shape, from.to_string(), why));
}

void infer_from_count(InferContext& c, const Shape& shape, const Dim& count) {
  if (!count.known()) return;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i].is_constant()) continue;
    const bool is_free = !shape[i].known() || count.is_constant();
    if (open || !is_free) return;
    open = i;
  }
  if (!open) return;
  Shape others = shape;
  others[*open] = 1;
  if (!others.count().is_constant() || others.count().value() == 0) return;
  const Dim size = floor_div(count, others.count());
  if (!(size * others.count() == count)) return;
  Shape solved = Shape::unknown_dims(shape.rank());
  solved[*open] = size;
  c.set_input_shape(0, solved);
}

void keep_value(InferContext& c) {
  if (const auto* value = c.input_value(0)) c.set_output_value(0, *value);
}

// MXNet 1.9.1 does not check this: of most element types it copies all of its input, beyond the end
// of a smaller result, or reads beyond the end of the input for a larger one. No elements at all
// are fewer than any.
void expect_same_count(InferContext& c) {
  const Shape& from = c.input_shape(0);
  const Dim before = from.count();
  const Dim after = c.output_shape(0).count();
  if (after == Dim(0) || before == after) return;
  const bool differ = before.is_constant() && after.is_constant();
  if (differ || is_multiple(after, before) || is_multiple(before, after)) {
    c.fail_input(0, fmt::format("{} elements for the result {}", after.to_string(),
                                c.output_shape(0).to_string()));
  }
  // A free size that the result leaves out is 1.
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (!from[i].is_symbolic() || !(after * from[i] == before)) continue;
    Shape solved = Shape::unknown_dims(from.rank());
    solved[i] = 1;
    return c.set_input_shape(0, solved);
  }
}

Shape with_rank(const Shape& shape, std::size_t rank) {
  if (shape.rank() >= rank) return shape;
  std::vector<Dim> dims = shape.dims();
  if (dims.empty()) dims.emplace_back(1);
  if (rank > 1 && dims.size() == 1) dims.insert(dims.begin(), Dim(1));
  while (dims.size() < rank) dims.emplace_back(1);
  return Shape(std::move(dims));
}

void to_output_shape(Translation& t) {
  t.set_output(0, onnx::reshape(t.b, t.input(0), t.output_shape(0)));
}

}  // namespace mx2onnx
