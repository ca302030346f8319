// The pieces of multi-head attention that GluonNLP's transformers are made of: matrix products over
// projections in which queries, keys and values of each head lie side by side (length, batch,
// heads * parts * size), and the division by the root of the last dimension.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct InterleavedParam {
  std::int64_t heads = 1;
  static void declare(AttrDeclarer<InterleavedParam>& d) {
    d.field("heads", &InterleavedParam::heads)
        .required()
        .at_least(1)
        .at_most(1 << 20)
        .help("number of heads");
  }
};

// How many parts (queries, keys, values) a projection holds side by side.
constexpr std::int64_t kOfSelf = 3;
constexpr std::int64_t kOfOther = 2;

// The first input is one projection of so many heads and parts.
void expect_rank_3(const InterleavedParam& p, std::int64_t parts, InferContext& c,
                   bool may_leave_out = false) {
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (c.input_shape(i).known_rank() && c.input_shape(i).rank() != 3)
      c.fail_input(i, "an array of three dimensions");
  }
  const Shape& projection = c.input_shape(0);
  const std::int64_t slices = p.heads * parts;
  if (!may_leave_out && projection.known_rank() && projection[2].is_constant() &&
      projection[2].value() % slices != 0) {
    c.fail_input(0, fmt::format("a last dimension that is a multiple of {}", slices));
  }
  c.unify_dtypes();
}

Dim dim_of(const Shape& shape, std::size_t axis) {
  return shape.known_rank() ? shape[axis] : Dim();
}

void infer_self_scores(const InterleavedParam& p, InferContext& c) {
  expect_rank_3(p, kOfSelf, c, true);
  const Shape& all = c.input_shape(0);
  c.set_output_shape(0, {dim_of(all, 1) * p.heads, dim_of(all, 0), dim_of(all, 0)});
}

void infer_cross_scores(const InterleavedParam& p, InferContext& c) {
  expect_rank_3(p, 1, c);
  const Dim batch = dim_of(c.input_shape(0), 1);
  const Dim size = dim_of(c.input_shape(0), 2);
  c.set_input_shape(1, {Dim(), batch, size * kOfOther});
  c.set_output_shape(0,
                     {batch * p.heads, dim_of(c.input_shape(0), 0), dim_of(c.input_shape(1), 0)});
}

void infer_self_values(const InterleavedParam& p, InferContext& c) {
  expect_rank_3(p, kOfSelf, c);
  const Shape all = c.input_shape(0);
  c.set_input_shape(1, {dim_of(all, 1) * p.heads, dim_of(all, 0), dim_of(all, 0)});
  c.set_output_shape(0, {dim_of(all, 0), dim_of(all, 1), floor_div(dim_of(all, 2), kOfSelf)});
}

void infer_cross_values(const InterleavedParam& p, InferContext& c) {
  expect_rank_3(p, kOfOther, c);
  const Shape all = c.input_shape(0);
  c.set_input_shape(1, {dim_of(all, 1) * p.heads, Dim(), dim_of(all, 0)});
  c.set_output_shape(
      0, {dim_of(c.input_shape(1), 1), dim_of(all, 1), floor_div(dim_of(all, 2), kOfOther)});
}

/// One projection taken apart: arrays of shape (1, batch, heads, length, size).
struct Heads {
  std::vector<Value> parts;
  Dim size;
};

// The products of one attention layer share what this emits.
Heads split_heads(Builder& b, Value projection, std::int64_t num_heads, std::int64_t num_parts) {
  const Value whole = projection;
  const Shape shape = b.shape(projection);
  const Dim size = floor_div(shape[2], num_heads * num_parts);
  Heads heads{{}, size};
  const auto key = [&](std::int64_t part) {
    return fmt::format("heads {} {} {} {}", whole.id, num_heads, num_parts, part);
  };
  for (std::int64_t i = 0; i < num_parts; ++i) heads.parts.push_back(b.find_cached(key(i)));
  if (heads.parts[0].present()) return heads;
  // Of a last dimension that is no multiple, MXNet takes elements one after the other from the
  // start.
  const Dim taken = size * num_heads * num_parts;
  if (shape[2].is_constant() && !(taken == shape[2])) {
    const Dim count = shape[0] * shape[1] * taken;
    const Value flat = onnx::reshape(b, projection, Shape{shape.count()});
    projection = onnx::slice(b, flat, {{0, 0, count}}, Shape{count});
  }
  const Value apart =
      onnx::reshape(b, projection, {shape[0], shape[1], num_heads, num_parts, size});
  const Value turned = b.transpose(apart, {3, 1, 2, 0, 4});
  heads.parts = num_parts == 1
                    ? std::vector<Value>{turned}
                    : onnx::split(b, turned, 0,
                                  std::vector<Dim>(static_cast<std::size_t>(num_parts), Dim(1)));
  for (std::int64_t i = 0; i < num_parts; ++i)
    b.remember(key(i), heads.parts[static_cast<std::size_t>(i)]);
  return heads;
}

Value matmul(Builder& b, Value x, Value y) {
  auto dims = b.shape(x).dims();
  dims.back() = b.shape(y).dims().back();
  return b.emit("MatMul", {x, y}, {}, {b.dtype(x), Shape(std::move(dims))});
}

Value root_of(Builder& b, const Dim& size, DType dtype) {
  if (size.is_constant()) return b.scalar(dtype, std::sqrt(static_cast<double>(size.value())));
  const Value number = b.cast(onnx::size_tensor(b, size), dtype);
  return b.unary("Sqrt", number);
}

// softmax comes after this; MXNet scales the product, which is the same with the queries scaled.
void emit_scores(Translation& t, Value queries, Value keys, const Dim& size) {
  Builder& b = t.b;
  const DType dtype = b.dtype(queries);
  const Value scaled =
      size.is_constant()
          ? b.mul(queries, b.scalar(dtype, 1 / std::sqrt(static_cast<double>(size.value()))))
          : b.div(queries, root_of(b, size, dtype));
  const Value product = matmul(b, scaled, b.transpose(keys, {0, 1, 2, 4, 3}));
  t.set_output(0, onnx::reshape(b, product, t.output_shape(0)));
}

void emit_values(Translation& t, const Heads& heads, std::int64_t num_heads) {
  Builder& b = t.b;
  const Shape& out = t.output_shape(0);
  const Shape& scores = t.input_shape(1);
  const Value weights =
      onnx::reshape(b, t.input(1), {Dim(1), out[1], num_heads, scores[1], scores[2]});
  const Value product = matmul(b, weights, heads.parts.back());
  const Value turned = b.transpose(product, {0, 3, 1, 2, 4});
  t.set_output(0, onnx::reshape(b, turned, out));
}

void translate_self_scores(const InterleavedParam& p, Translation& t) {
  const Dim& width = t.input_shape(0)[2];
  if (width.is_constant() && width.value() < p.heads * kOfSelf) {
    // Products of vectors of no elements.
    return t.set_output(0, onnx::fill(t.b, t.output_type(0).dtype, 0, t.output_shape(0)));
  }
  const Heads heads = split_heads(t.b, t.input(0), p.heads, kOfSelf);
  emit_scores(t, heads.parts[0], heads.parts[1], heads.size);
}

void translate_cross_scores(const InterleavedParam& p, Translation& t) {
  const Heads queries = split_heads(t.b, t.input(0), p.heads, 1);
  const Heads others = split_heads(t.b, t.input(1), p.heads, kOfOther);
  emit_scores(t, queries.parts[0], others.parts[0], queries.size);
}

void translate_self_values(const InterleavedParam& p, Translation& t) {
  emit_values(t, split_heads(t.b, t.input(0), p.heads, kOfSelf), p.heads);
}

void translate_cross_values(const InterleavedParam& p, Translation& t) {
  emit_values(t, split_heads(t.b, t.input(0), p.heads, kOfOther), p.heads);
}

// DivSqrtDimForward_: the root is converted to the array's type, for integers as C++ does.
void translate_div_sqrt_dim(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (t.input_rank(0) == 0) {
    t.refuse("the array has no dimension");
    return;
  }
  const Dim& size = t.input_shape(0).dims().back();
  if (is_floating(dtype)) {
    t.set_output(0, b.div(t.input(0), root_of(b, size, dtype)));
  } else if (size.is_constant()) {
    const DType wide = b.takes("Div", dtype) ? dtype : DType::kInt32;
    const double root = std::floor(std::sqrt(static_cast<double>(size.value())));
    const Value quotient = b.div(b.cast(t.input(0), wide), b.scalar(wide, root));
    t.set_output(0, b.cast(quotient, dtype));
  } else {
    t.refuse("the last dimension of an integer array is free");
  }
}

}  // namespace

void register_attention(Registry& r) {
  const std::string layout = "the projections of each head side by side: (length, batch, heads * ";
  r.add<InterleavedParam>(
       {"_contrib_interleaved_matmul_selfatt_qk", "_npx_interleaved_matmul_selfatt_qk"})
      .summary("Scaled products of queries and keys, " + layout + "3 * size).")
      .inputs({{"queries_keys_values", InputRole::kData}})
      .infer(infer_self_scores)
      .translate(translate_self_scores);
  r.add<InterleavedParam>(
       {"_contrib_interleaved_matmul_selfatt_valatt", "_npx_interleaved_matmul_selfatt_valatt"})
      .summary("Values weighted by attention, " + layout + "3 * size).")
      .inputs({{"queries_keys_values", InputRole::kData}, {"attention", InputRole::kData}})
      .infer(infer_self_values)
      .translate(translate_self_values);
  r.add<InterleavedParam>(
       {"_contrib_interleaved_matmul_encdec_qk", "_npx_interleaved_matmul_encdec_qk"})
      .summary("Scaled products of queries and another sequence's keys, " + layout + "2 * size).")
      .inputs({{"queries", InputRole::kData}, {"keys_values", InputRole::kData}})
      .infer(infer_cross_scores)
      .translate(translate_cross_scores);
  r.add<InterleavedParam>(
       {"_contrib_interleaved_matmul_encdec_valatt", "_npx_interleaved_matmul_encdec_valatt"})
      .summary("Another sequence's values weighted by attention, " + layout + "2 * size).")
      .inputs({{"keys_values", InputRole::kData}, {"attention", InputRole::kData}})
      .infer(infer_cross_values)
      .translate(translate_cross_values);
  r.add<NoParam>({"_contrib_div_sqrt_dim"})
      .summary("Divides by the square root of the last dimension.")
      .infer(infer_same<NoParam>)
      .translate(translate_div_sqrt_dim);
}

}  // namespace mx2onnx
