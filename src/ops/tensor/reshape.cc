// Operators that keep the elements and their order and change the shape alone, and those that give
// a shape as numbers.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/reshape_codes.h"
#include "ops/expressions/reshaping.h"

namespace mx2onnx {
namespace {

using onnx::Builder;

void infer_reshape(const ReshapeParam& p, InferContext& c) {
  c.unify_dtypes();
  infer_reshaped(p, c);
}

template <typename P>
void translate_reshape(const P& /*p*/, Translation& t) {
  to_output_shape(t);
}

// What inference knows of the shape that a model computes.
std::optional<std::vector<Dim>> known_shape(InferContext& c) {
  if (const Tensor* constant = c.input_constant(1)) {
    const auto numbers = read_doubles(*constant);
    std::vector<Dim> dims;
    for (const double number : numbers) {
      if (!(std::abs(number) < 0x1p53)) c.fail_input(1, "sizes");
      dims.emplace_back(static_cast<std::int64_t>(number));
    }
    return dims;
  }
  if (const auto* value = c.input_value(1)) return *value;
  return std::nullopt;
}

void infer_dynamic_reshape(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_input_shape(1, Shape::unknown_dims(1));
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (auto shape = known_shape(c)) {
    c.set_output_shape(0, reshaped(std::move(*shape), from));
    return expect_same_count(c);
  }
  const Dim& rank = c.input_shape(1)[0];
  if (!rank.is_constant()) return;
  std::vector<Dim> dims;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(rank.value(), 32); ++i) {
    dims.push_back(c.own_size(0, static_cast<std::size_t>(i)));
  }
  c.set_output_shape(0, Shape(std::move(dims)));
}

// What only the data knows is left to ONNX's Reshape, which has the same 0 and -1 and takes nothing
// else below 0.
void translate_dynamic_reshape(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const Shape& to = t.output_shape(0);
  const auto is_own = [&](const Dim& dim) {
    return !dim.symbol_name().empty() && b.symbol_source(dim.symbol_name()) == nullptr;
  };
  if (std::none_of(to.dims().begin(), to.dims().end(), is_own)) return to_output_shape(t);
  const onnx::Value sizes = b.cast(t.input(1), DType::kInt64);
  const onnx::Value result = b.emit("Reshape", {t.input(0), sizes}, {}, t.output_type(0));
  for (std::size_t i = 0; i < to.rank(); ++i) {
    if (is_own(to[i])) b.define_symbol(to[i].symbol_name(), result, i);
  }
  t.set_output(0, result);
}

void infer_flatten(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  c.set_output_shape(0, Shape::unknown_dims(2));
  if (!from.known_rank()) return;
  if (from.rank() == 0) c.fail_input(0, "at least one dimension");
  c.set_output_shape(0, {from[0], from.count(1, from.rank())});
  infer_from_count(c, from, c.output_shape(0).count());
}

void translate_flatten(const NoParam& /*p*/, Translation& t) {
  if (t.input_shape(0) == t.output_shape(0)) return t.set_output(0, t.input(0));
  t.set_output(0, t.b.emit("Flatten", {t.input(0)}, {{"axis", 1}}, t.output_type(0)));
}

struct ReshapeLikeParam {
  std::optional<std::int64_t> lhs_begin;
  std::optional<std::int64_t> lhs_end;
  std::optional<std::int64_t> rhs_begin;
  std::optional<std::int64_t> rhs_end;

  static void declare(AttrDeclarer<ReshapeLikeParam>& d) {
    d.field("lhs_begin", &ReshapeLikeParam::lhs_begin).help("first axis that is replaced");
    d.field("lhs_end", &ReshapeLikeParam::lhs_end).help("the axis after the last one");
    d.field("rhs_begin", &ReshapeLikeParam::rhs_begin).help("first axis that is taken");
    d.field("rhs_end", &ReshapeLikeParam::rhs_end).help("the axis after the last one");
  }
};

// [begin, end) counted from the start.
std::pair<std::size_t, std::size_t> axis_range(std::string_view side, std::size_t rank,
                                               const std::optional<std::int64_t>& begin,
                                               const std::optional<std::int64_t>& end) {
  const auto size = static_cast<std::int64_t>(rank);
  std::int64_t first = begin.value_or(0);
  std::int64_t last = end.value_or(size);
  if (first < 0) first += size;
  if (last < 0) last += size;
  if (first < 0 || first >= last || last > size) {
    fail(ErrorCode::kModel, fmt::format("{}_begin and {}_end: expected a range of axes within {}, "
                                        "found [{}, {})",
                                        side, side, size, first, last));
  }
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last)};
}

void infer_reshape_like(const ReshapeLikeParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape lhs = c.input_shape(0);
  const Shape rhs = c.input_shape(1);
  if (!lhs.known_rank() || !rhs.known_rank()) return;
  const auto [lhs_begin, lhs_end] = axis_range("lhs", lhs.rank(), p.lhs_begin, p.lhs_end);
  const auto [rhs_begin, rhs_end] = axis_range("rhs", rhs.rank(), p.rhs_begin, p.rhs_end);
  std::vector<Dim> to(lhs.dims().begin(),
                      lhs.dims().begin() + static_cast<std::ptrdiff_t>(lhs_begin));
  for (std::size_t i = rhs_begin; i < rhs_end; ++i) to.push_back(rhs[i]);
  for (std::size_t i = lhs_end; i < lhs.rank(); ++i) to.push_back(lhs[i]);
  c.set_output_shape(0, Shape(to));
  infer_from_count(c, lhs, c.output_shape(0).count());
  expect_same_count(c);
}

void infer_shape_array(const NoParam& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  c.set_output_shape(0, Shape::unknown_dims(1));
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  c.set_output_shape(0, {static_cast<std::int64_t>(from.rank())});
  if (from.known()) c.set_output_value(0, from.dims());
}

void infer_size_array(const NoParam& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  c.set_output_shape(0, {1});
  if (c.input_shape(0).known()) c.set_output_value(0, {c.input_shape(0).count()});
}

void translate_shape_array(const NoParam& /*p*/, Translation& t) {
  const auto& dims = t.input_shape(0).dims();
  t.set_output(0, dims.empty() ? t.b.ints({}) : onnx::sizes_tensor(t.b, dims));
}

void translate_size_array(const NoParam& /*p*/, Translation& t) {
  t.set_output(0, onnx::size_tensor(t.b, t.input_shape(0).count()));
}

}  // namespace

void register_reshape(Registry& r) {
  r.add<ReshapeParam>({"Reshape", "reshape"})
      .summary("The same elements in another shape.")
      .infer(infer_reshape)
      .translate(translate_reshape<ReshapeParam>);
  r.add<NoParam>({"_contrib_dynamic_reshape"})
      .summary("The same elements in a shape that the model computes.")
      .inputs({{"data", InputRole::kData}, {"shape", InputRole::kData}})
      .infer(infer_dynamic_reshape)
      .translate(translate_dynamic_reshape)
      .note(
          "Of a shape that is known at run time only, the codes -2, -3 and -4 are an error of the "
          "runtime.");
  r.add<NoParam>({"Flatten", "flatten", "_npx_batch_flatten"})
      .summary("All axes but the first in one.")
      .infer(infer_flatten)
      .translate(translate_flatten);
  r.add<ReshapeLikeParam>({"reshape_like", "_npx_reshape_like"})
      .summary("The elements of `lhs`, with axes of `rhs` in place of some of its own.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_reshape_like)
      .translate(translate_reshape<ReshapeLikeParam>);
  r.add<NoParam>({"shape_array", "_npx_shape_array"})
      .summary("The shape, as int64.")
      .infer(infer_shape_array)
      .translate(translate_shape_array);
  r.add<NoParam>({"size_array"})
      .summary("The number of elements, as int64 of shape (1,).")
      .infer(infer_size_array)
      .translate(translate_size_array);
}

}  // namespace mx2onnx
