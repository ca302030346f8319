// Pooling to a given size, with windows that follow from the input's.
#include <fmt/format.h>

#include <limits>

#include "base/budget.h"
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct AdaptivePoolParam {
  std::optional<Tuple> output_size = Tuple();
  static void declare(AttrDeclarer<AdaptivePoolParam>& d) {
    d.field("output_size", &AdaptivePoolParam::output_size)
        .sizes(0, 2)
        .at_least(1)
        .at_most(1 << 15)
        .help("height and width, or one number for both; empty: 1");
  }
  std::int64_t size(std::size_t i) const {
    if (!output_size || output_size->empty()) return 1;
    return output_size->size() == 1 ? output_size->front() : (*output_size)[i];
  }
};

void infer_adaptive_pool(const AdaptivePoolParam& p, InferContext& c) {
  c.unify_dtypes();
  // MXNet looks at the number of dimensions only where there are elements.
  const Shape& data = c.input_shape(0);
  if (data.rank() > 4 && !data.known()) return;
  if (!data.known_rank() || data.rank() < 4 || !data.is_empty()) {
    c.set_input_shape(0, Shape::unknown_dims(4));
  }
  Shape to = c.input_shape(0);
  to[2] = p.size(0);
  to[3] = p.size(1);
  if (to.rank() != 4 && !to.is_empty()) c.set_input_shape(0, Shape::unknown_dims(4));
  c.set_output_shape(0, to);
}

// The window of element `i` of `count` along an axis.
Dim window_begin(const Dim& size, std::int64_t i, std::int64_t count) {
  return floor_div(size * i, count);
}
Dim window_end(const Dim& size, std::int64_t i, std::int64_t count) {
  return ceil_div(size * (i + 1), count);
}

// A (size, count) matrix whose product with rows of `size` elements gives the mean of each window.
Tensor window_weights(DType dtype, std::int64_t size, std::int64_t count) {
  spend_elements(count, size);
  std::vector<double> weights(static_cast<std::size_t>(size * count), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = window_begin(size, i, count).value();
    const std::int64_t end = window_end(size, i, count).value();
    for (std::int64_t k = begin; k < end; ++k) {
      weights[static_cast<std::size_t>(k * count + i)] = 1.0 / static_cast<double>(end - begin);
    }
  }
  return make_tensor_as(dtype, {size, count}, weights);
}

// The mean of each window along one axis.
Value pool_axis(Translation& t, Value x, std::size_t axis, std::int64_t count) {
  onnx::Builder& b = t.b;
  const Shape from = b.shape(x);
  const Dim& size = from[axis];
  if (size == Dim(count)) return x;
  Shape to = from;
  to[axis] = count;
  const auto at = static_cast<std::int64_t>(axis);
  if (count == 1) return onnx::reduce(b, "ReduceMean", x, {at}, true);
  if (size.is_constant()) {
    const Value weights = b.constant(window_weights(b.dtype(x), size.value(), count));
    if (axis == 3) return b.emit("MatMul", {x, weights}, {}, {b.dtype(x), to});
    return b.emit("MatMul", {b.transpose(weights, {1, 0}), x}, {}, {b.dtype(x), to});
  }
  std::vector<Value> means;
  for (std::int64_t i = 0; i < count; ++i) {
    const Dim begin = window_begin(size, i, count);
    const Dim end = window_end(size, i, count);
    Shape part = from;
    part[axis] = end - begin;
    means.push_back(
        onnx::reduce(b, "ReduceMean", onnx::slice(b, x, {{at, begin, end, 1}}, part), {at}, true));
  }
  return b.concat(means, at);
}

// The factor between two sizes, if every window has that many elements.
std::optional<std::int64_t> even_window(const Dim& from, const Dim& to) {
  const bool even = from.is_constant() && to.is_constant() && from.value() % to.value() == 0;
  return even ? std::optional(from.value() / to.value()) : std::nullopt;
}

void translate_adaptive_pool(const AdaptivePoolParam& p, Translation& t) {
  const Shape& from = t.input_shape(0);
  const Shape& to = t.output_shape(0);
  if (from == to) return t.set_output(0, t.input(0));
  if (from.is_empty()) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return t.set_output(0, onnx::fill(t.b, t.output_type(0).dtype, nan, to));
  }
  // ONNX Runtime pools no doubles.
  const bool has_kernel = t.output_type(0).dtype != DType::kFloat64;
  if (has_kernel && to[2] == Dim(1) && to[3] == Dim(1)) {
    return t.set_output(0, t.b.emit("GlobalAveragePool", {t.input(0)}, {}, t.output_type(0)));
  }
  const auto height = even_window(from[2], to[2]);
  const auto width = even_window(from[3], to[3]);
  if (has_kernel && height && width) {
    const onnx::Ints window{*height, *width};
    return t.set_output(
        0, t.b.emit("AveragePool", {t.input(0)}, {{"kernel_shape", window}, {"strides", window}},
                    t.output_type(0)));
  }
  t.set_output(0, pool_axis(t, pool_axis(t, t.input(0), 2, p.size(0)), 3, p.size(1)));
}

}  // namespace

void register_adaptive_pool(Registry& r) {
  r.add<AdaptivePoolParam>({"_contrib_AdaptiveAvgPooling2D"})
      .summary("Means over windows such that the result has a given height and width.")
      .infer(infer_adaptive_pool)
      .translate(translate_adaptive_pool)
      .note(
          "An element that is infinite or NaN makes NaN of windows that it is not in, where the "
          "size "
          "given does not divide that of the image, and of float64.")
      .note("Of no elements the mean is NaN in MXNet; where their number is free it is 0 here.");
}

}  // namespace mx2onnx
