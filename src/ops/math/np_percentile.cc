// NumPy's percentile (src/operator/numpy/np_percentile_op-inl.h), of which quantile and median are
// made.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;

struct PercentileParam : NumpyReduceAxes {
  enum class Interpolation { kLinear, kLower, kHigher, kMidpoint, kNearest };
  Interpolation interpolation = Interpolation::kLinear;
  std::optional<double> q_scalar;

  static void declare(AttrDeclarer<PercentileParam>& d) {
    d.field("axis", &PercentileParam::axis).help("axes to reduce; None: all");
    d.one_of("interpolation", &PercentileParam::interpolation,
             {"linear", "lower", "higher", "midpoint", "nearest"})
        .help("what is taken between two elements");
    d.field("keepdims", &PercentileParam::keepdims).help("reduced axes stay, with size 1");
    d.field("q_scalar", &PercentileParam::q_scalar)
        .at_least(0)
        .at_most(100)
        .help("the percentage; None: an input has it");
  }
};

std::vector<InputDef> percentile_inputs(const PercentileParam& p) {
  std::vector<InputDef> inputs{{"a", InputRole::kData}};
  if (!p.q_scalar) inputs.push_back({"q", InputRole::kData});
  return inputs;
}

void infer_percentile(const PercentileParam& p, InferContext& c) {
  const DType dtype = c.input(0).dtype;
  if (dtype != DType::kUnknown) {
    c.set_output_dtype(0, dtype == DType::kFloat64 ? dtype : DType::kFloat32);
  }
  if (!c.input_shape(0).known_rank()) return;
  const Shape reduced = p.result(c.input_shape(0));
  if (p.q_scalar) return c.set_output_shape(0, reduced);
  const Shape& q = c.input_shape(1);
  if (!q.known_rank()) return;
  if (q.rank() > 1) c.fail_input(1, "at most 1 dimension");
  std::vector<Dim> dims = q.dims();
  dims.insert(dims.end(), reduced.dims().begin(), reduced.dims().end());
  c.set_output_shape(0, Shape(std::move(dims)));
}

// The axes that go are the last one, in the order in which they are named.
Value sorted(Builder& b, Value x, const PercentileParam& p) {
  const Shape& shape = b.shape(x);
  const Ints reduced = p.of(shape.rank());
  Ints perm;
  std::vector<Dim> dims;
  for (const auto axis : iota(shape.rank())) {
    if (std::find(reduced.begin(), reduced.end(), axis) != reduced.end()) continue;
    perm.push_back(axis);
    dims.push_back(shape[static_cast<std::size_t>(axis)]);
  }
  perm.insert(perm.end(), reduced.begin(), reduced.end());
  dims.push_back(p.count(shape));
  const auto last = static_cast<std::int64_t>(dims.size()) - 1;
  const Value rows = onnx::reshape(b, b.transpose(x, perm), Shape(dims));
  return onnx::top_k(b, rows, dims.back(), last, false).first;
}

// Where in the sorted elements the percentages are; MXNet computes it in float32.
Value places_of(Builder& b, const PercentileParam& p, Value q, const Dim& count) {
  if (p.q_scalar && count.is_constant()) {
    const double place = *p.q_scalar * static_cast<double>(count.value() - 1) / 100;
    return b.scalar(DType::kFloat32, static_cast<double>(static_cast<float>(place)));
  }
  const bool in_float32 = !p.q_scalar && b.dtype(q) == DType::kFloat32;
  const DType computing = in_float32 ? DType::kFloat32 : DType::kFloat64;
  const Value size = onnx::reshape(b, onnx::size_tensor(b, count - 1), Shape(std::vector<Dim>{}));
  const Value share = p.q_scalar ? b.scalar(computing, *p.q_scalar) : b.cast(q, computing);
  const Value product = b.mul(share, b.cast(size, computing));
  const Value place = b.div(b.cast(product, DType::kFloat64), b.scalar(DType::kFloat64, 100));
  return b.cast(place, DType::kFloat32);
}

Value taken(Builder& b, Value rows, Value place) {
  const auto last = static_cast<std::int64_t>(b.shape(rows).rank()) - 1;
  return b.gather(rows, b.cast(place, DType::kInt64), last);
}

Value between(Builder& b, Value rows, Value place, const Dim& count) {
  const Value below = b.unary("Floor", place);
  const Value one = b.scalar(DType::kFloat32, 1);
  const Value size = onnx::reshape(b, onnx::size_tensor(b, count - 1), Shape(std::vector<Dim>{}));
  const Value above = b.binary("Min", b.add(below, one), b.cast(size, DType::kFloat32));
  const Value weight = b.sub(place, below);
  const DType dtype = b.dtype(rows);
  const Value low = b.mul(taken(b, rows, below), b.cast(b.sub(one, weight), dtype));
  return b.add(low, b.mul(taken(b, rows, above), b.cast(weight, dtype)));
}

Value chosen(Builder& b, const PercentileParam& p, Value rows, Value place, const Dim& count) {
  using enum PercentileParam::Interpolation;
  switch (p.interpolation) {
    case kLower:
      return taken(b, rows, b.unary("Floor", place));
    case kHigher:
      return taken(b, rows, b.unary("Ceil", place));
    case kNearest: {
      // Halves go up.
      const Value half = b.scalar(DType::kFloat32, 0.5);
      const Value floor = b.unary("Floor", place);
      const Value up = b.binary("GreaterOrEqual", b.sub(place, floor), half);
      return taken(b, rows, b.add(floor, b.cast(up, DType::kFloat32)));
    }
    case kMidpoint: {
      const Value sum = b.add(b.unary("Floor", place), b.unary("Ceil", place));
      return between(b, rows, b.mul(sum, b.scalar(DType::kFloat32, 0.5)), count);
    }
    case kLinear:
      break;
  }
  return between(b, rows, place, count);
}

void translate_percentile(const PercentileParam& p, Translation& t) {
  Builder& b = t.b;
  if (t.input_type(0).dtype == DType::kBool) {
    return t.refuse("MXNet does not compute this on bool");
  }
  const Dim count = p.count(t.input_shape(0));
  if (count.is_constant() && count.value() == 0)
    return t.refuse("there is no percentile of nothing");
  if (t.output_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, t.output_type(0).dtype, 0, t.output_shape(0)));
  }
  const Value rows = sorted(b, b.cast(t.input(0), t.output_type(0).dtype), p);
  const Value q = p.q_scalar ? Value{} : t.input(1);
  Value result = chosen(b, p, rows, places_of(b, p, q, count), count);
  // The percentages are the first axis.
  if (!p.q_scalar && t.input_rank(1) == 1) {
    const std::size_t rank = b.shape(result).rank();
    result = b.transpose(result, move_perm(rank, rank - 1, 0));
  }
  t.set_output(0, onnx::reshape(b, result, t.output_shape(0)));
}

}  // namespace

void register_np_percentile(Registry& r) {
  r.add<PercentileParam>({"_npi_percentile"})
      .summary("The element below which a percentage of the elements over axes is.")
      .inputs_by(percentile_inputs)
      .infer(infer_percentile)
      .translate(translate_percentile)
      .note(
          "Where one of the elements is NaN, MXNet and ONNX Runtime sort it to different places.");
}

}  // namespace mx2onnx
