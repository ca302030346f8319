// What moves integers, or takes the largest or the mean of some: pooling, concat, flatten,
// transpose, embedding (src/operator/quantization/quantized_pooling.cc, quantized_concat.cc,
// quantized_flatten.cc, quantized_transpose.cc, quantized_indexing_op.cc).
#include <fmt/format.h>

#include <functional>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/pooling.h"
#include "ops/expressions/quantized.h"
#include "ops/expressions/reshape_codes.h"
#include "ops/quantization/calibrated.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::QuantizedForm;
using onnx::Value;

Quantized data_of(const Translation& t) { return {t.input(0), {t.input(1), t.input(2)}}; }

void infer_kept_types(InferContext& c) {
  infer_range_inputs(c, 1);
  infer_range_outputs(c);
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
}

using Change = std::function<Value(Builder&, Value)>;

// Sets the outputs to what `change` makes of the integers as real numbers in steps of 1, which are
// exact, and what it makes of the real numbers.
void change_in_steps(Translation& t, Value step, const Change& change) {
  Builder& b = t.b;
  const Quantized q = data_of(t);
  const DType dtype = b.dtype(q.data);
  const Value changed = change(b, dequantize(b, q.data, step));
  const Quantized result{quantize(b, changed, step, dtype), q.range};
  if (b.quantized_form() == QuantizedForm::kFloat) {
    set_real(b, result, change(b, real(b, q, Steps::kHalf)));
  }
  set_outputs(t, result);
}

void infer_quantized_pool(const PoolingParam& p, InferContext& c) {
  infer_kept_types(c);
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, pooled_shape(p, c));
}

std::vector<AttrProblem> check_quantized_pool(const PoolingParam& p,
                                              const CheckContext& /*context*/) {
  auto problems = check_pooling(p);
  const bool has_kernel =
      p.pool_type == PoolingParam::Type::kMax || p.pool_type == PoolingParam::Type::kAvg;
  if (!has_kernel) {
    problems.push_back(
        {"pool_type", "expected max or avg: MXNet pools integers by these only", ""});
  }
  if (is_channels_last(p.layout)) {
    problems.push_back({"layout", "expected channels first: MXNet pools no other integers", ""});
  }
  return problems;
}

void translate_quantized_pool(const PoolingParam& p, Translation& t) {
  if (!expect_quantized_form(t) || !expect_integers(t)) return;
  // The mean of integers, and which integer is nearest to it, is exact in steps of 1. The largest
  // one is exact in any steps, and nothing has to be said twice if these are the ones around it.
  const Value step = p.pool_type == PoolingParam::Type::kAvg
                         ? number(t.b, 1)
                         : step_of(t.b, data_of(t).range, t.input_type(0).dtype, Steps::kWhole);
  if (!expect_step(t, step)) return;
  change_in_steps(t, step, [&](Builder& b, Value x) { return pool_channels_first(p, b, x); });
}

// Integers that are moved: the real numbers move with them.
void move_integers(Translation& t, const Change& move) {
  Builder& b = t.b;
  if (!expect_integers(t)) return;
  const Quantized q = data_of(t);
  const Quantized result{move(b, q.data), q.range};
  if (const Value moved = remembered_real(b, q); moved.present()) {
    set_real(b, result, move(b, moved));
  }
  set_outputs(t, result);
}

void infer_quantized_flatten(const NoParam& /*p*/, InferContext& c) {
  infer_kept_types(c);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() == 0) c.fail_input(0, "1 dimension or more");
  c.set_output_shape(0, Shape{data[0], data.count(1, data.rank())});
}

void translate_quantized_flatten(const NoParam& /*p*/, Translation& t) {
  move_integers(t, [](Builder& b, Value x) {
    const Shape& shape = b.shape(x);
    return b.emit("Flatten", {x}, {{"axis", 1}},
                  {b.dtype(x), Shape{shape[0], shape.count(1, shape.rank())}});
  });
}

template <typename P>
void infer_quantized_reshape(const P& p, InferContext& c) {
  infer_kept_types(c);
  infer_reshaped(p, c);
}

template <typename P>
void translate_quantized_reshape(const P& /*p*/, Translation& t) {
  const Shape to = t.output_shape(0);
  move_integers(t, [&](Builder& b, Value x) { return onnx::reshape(b, x, to); });
}

struct TransposeParam {
  std::optional<Tuple> axes = Tuple();

  static void declare(AttrDeclarer<TransposeParam>& d) {
    d.field("axes", &TransposeParam::axes).help("their new order; reversed if empty or None");
  }
};

std::vector<std::int64_t> permutation(const TransposeParam& p, std::size_t rank) {
  std::vector<std::int64_t> perm = iota(rank);
  if (!p.axes || p.axes->empty()) {
    std::reverse(perm.begin(), perm.end());
    return perm;
  }
  const ErrorScope scope = ErrorScope::attribute("axes");
  if (p.axes->size() != rank) {
    fail(ErrorCode::kModel, fmt::format("expected {} axes, found {}", rank, p.axes->size()));
  }
  std::vector<char> seen(rank, 0);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t axis = checked_axis((*p.axes)[i], rank);
    if (seen[axis]++ != 0) fail(ErrorCode::kModel, fmt::format("axis {} is there twice", axis));
    perm[i] = static_cast<std::int64_t>(axis);
  }
  return perm;
}

void infer_quantized_transpose(const TransposeParam& p, InferContext& c) {
  infer_kept_types(c);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  std::vector<Dim> dims;
  for (const auto axis : permutation(p, data.rank())) {
    dims.push_back(data[static_cast<std::size_t>(axis)]);
  }
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_quantized_transpose(const TransposeParam& p, Translation& t) {
  move_integers(
      t, [&](Builder& b, Value x) { return b.transpose(x, permutation(p, b.shape(x).rank())); });
}

struct ConcatParam {
  std::int64_t num_args = 0;
  std::int64_t dim = 1;

  static void declare(AttrDeclarer<ConcatParam>& d) {
    d.field("num_args", &ConcatParam::num_args)
        .required()
        .at_least(1)
        .help("arrays that are joined");
    d.field("dim", &ConcatParam::dim).help("the axis");
  }
};

// Arrays first, then the two ends of each one's range.
Quantized part(const Translation& t, std::size_t i) {
  const std::size_t count = t.num_inputs() / 3;
  return {t.input(i), {t.input(count + 2 * i), t.input(count + 2 * i + 1)}};
}

void infer_quantized_concat(const ConcatParam& p, InferContext& c) {
  check_num_inputs(c, "num_args", checked_mul(p.num_args, 3));
  const auto count = static_cast<std::size_t>(p.num_args);
  infer_range_inputs(c, count);
  infer_range_outputs(c);
  bool known = true;
  bool any_int8 = false;
  for (std::size_t i = 0; i < count; ++i) {
    known = known && c.input(i).dtype != DType::kUnknown && c.input_shape(i).known_rank();
    any_int8 = any_int8 || c.input(i).dtype == DType::kInt8;
  }
  if (!known) return;
  c.set_output_dtype(0, any_int8 ? DType::kInt8 : DType::kUint8);
  Shape result = c.input_shape(0);
  const std::size_t axis = checked_axis(p.dim, result.rank(), "dim");
  Dim size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (c.input_shape(i).rank() != result.rank()) {
      c.fail_input(i, fmt::format("{} dimensions", result.rank()));
    }
    Shape same = c.input_shape(0);
    same[axis] = Dim();
    c.set_input_shape(i, same);
    size = size + c.input_shape(i)[axis];
  }
  result[axis] = size;
  c.set_output_shape(0, result);
}

void translate_quantized_concat(const ConcatParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t)) return;
  const auto count = static_cast<std::size_t>(p.num_args);
  Range all{number(b, 0), number(b, 0)};
  std::vector<Value> parts;
  for (std::size_t i = 0; i < count; ++i) {
    if (!expect_integers(t, i)) return;
    const Quantized q = part(t, i);
    // The least end below 0 and the largest one above.
    all.min = negative(b, of_numbers(b, "Max", negative(b, all.min), negative(b, q.range.min)));
    all.max = of_numbers(b, "Max", all.max, q.range.max);
    parts.push_back(real(b, q, Steps::kHalf));
  }
  set_quantized(t, b.concat(parts, p.dim), all, t.output_type(0).dtype, Steps::kHalf);
}

struct EmbeddingParam {
  std::int64_t input_dim = 0;
  std::int64_t output_dim = 0;

  static void declare(AttrDeclarer<EmbeddingParam>& d) {
    d.field("input_dim", &EmbeddingParam::input_dim).required().at_least(1).help("rows");
    d.field("output_dim", &EmbeddingParam::output_dim).required().at_least(1).help("columns");
    d.ignore({"dtype", "sparse_grad"});
  }
};

void infer_quantized_embedding(const EmbeddingParam& p, InferContext& c) {
  infer_range_inputs(c, 2);
  infer_range_outputs(c);
  c.set_input_dtype(1, DType::kInt8);
  c.set_output_dtype(0, DType::kInt8);
  c.set_input_shape(1, Shape{p.input_dim, p.output_dim});
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < data.rank(); ++i) dims.push_back(data[i]);
  dims.emplace_back(p.output_dim);
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_quantized_embedding(const EmbeddingParam& p, Translation& t) {
  Builder& b = t.b;
  // Indices are cut to whole numbers, and those without a row are the first or the last one.
  const Value index =
      onnx::clip(b, b.cast(t.input(0), DType::kInt64), 0, static_cast<double>(p.input_dim - 1));
  const Quantized weight{t.input(1), {t.input(2), t.input(3)}};
  const Quantized result{b.gather(weight.data, index, 0), weight.range};
  if (b.quantized_form() == QuantizedForm::kFloat) {
    set_real(b, result, b.gather(real(b, weight, Steps::kWhole), index, 0));
  }
  set_outputs(t, result);
}

}  // namespace

void register_quantized_shapes(Registry& r) {
  const auto data = with_range("data", "min_data", "max_data");
  r.add<PoolingParam>({"_contrib_quantized_pooling", "_npx_quantized_pooling"})
      .summary("The largest or the mean of windows of integers.")
      .inputs(data)
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_pool)
      .translate(translate_quantized_pool)
      .check(check_quantized_pool);
  r.add<ConcatParam>({"_contrib_quantized_concat", "_npx_quantized_concat"})
      .summary("Joins arrays of integers, brought to the largest of their ranges.")
      .variadic()
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_concat)
      .translate(translate_quantized_concat);
  r.add<NoParam>({"_contrib_quantized_flatten", "_npx_quantized_flatten"})
      .summary("All axes but the first become one.")
      .inputs(data)
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_flatten)
      .translate(translate_quantized_flatten);
  r.add<TransposeParam>(
       {"_contrib_quantized_transpose", "quantized_transpose", "_npx_quantized_transpose"})
      .summary("Axes of integers in another order.")
      .inputs(data)
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_transpose)
      .translate(translate_quantized_transpose);
  r.add<ReshapeParam>({"_contrib_quantized_reshape", "quantized_reshape"})
      .summary("The same integers in another shape.")
      .inputs(data)
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_reshape<ReshapeParam>)
      .translate(translate_quantized_reshape<ReshapeParam>);
  r.add<NpxReshapeParam>({"_npx_quantized_reshape"})
      .summary("The same integers in another shape, with NumPy's codes.")
      .inputs(data)
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_reshape<NpxReshapeParam>)
      .translate(translate_quantized_reshape<NpxReshapeParam>);
  r.add<EmbeddingParam>({"_contrib_quantized_embedding", "_npx_quantized_embedding"})
      .summary("Rows of an int8 weight.")
      .inputs({{"data", InputRole::kData},
               {"weight", InputRole::kWeight},
               {"min_weight", InputRole::kWeight},
               {"max_weight", InputRole::kWeight}})
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_embedding)
      .translate(translate_quantized_embedding);
}

}  // namespace mx2onnx
