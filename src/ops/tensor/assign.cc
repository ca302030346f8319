// Arrays with a part replaced, and what is left of sparse storage when all of it is dense:
// _slice_assign, _slice_assign_scalar, _scatter_set_nd, _sparse_retain, _contrib_getnnz
// (src/operator/tensor/matrix_op-inl.h, indexing_op.cc, sparse_retain.cc,
// src/operator/contrib/nnz.cc).
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/tensor/slice_ranges.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct AssignParam {
  OptionalTuple begin;
  OptionalTuple end;
  std::optional<OptionalTuple> step = OptionalTuple();

  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("begin", &P::begin)
        .required()
        .help("first index along each of the first axes; negative from the end; None: all");
    d.field("end", &P::end).required().help("the index after the last one");
    d.field("step", &P::step).help("not 0; negative runs backwards");
  }
  static void declare(AttrDeclarer<AssignParam>& d) { declare_common(d); }

  std::int64_t step_at(std::size_t i) const {
    return step && i < step->size() ? (*step)[i].value_or(1) : 1;
  }
  bool whole(std::size_t i) const { return !begin[i] && !end[i] && step_at(i) == 1; }
};

struct AssignScalarParam : AssignParam {
  double scalar = 0;
  static void declare(AttrDeclarer<AssignScalarParam>& d) {
    d.field("scalar", &AssignScalarParam::scalar).help("the number");
    declare_common(d);
  }
};

std::vector<AttrProblem> check_assign(const AssignParam& p, const CheckContext& /*context*/) {
  return check_slice_ranges(p.begin, p.end, p.step.value_or(OptionalTuple()));
}

// [first, stop) along an axis; with a negative step backwards.
struct Span {
  Dim first;
  Dim stop;
};

Span span_at(const AssignParam& p, std::size_t axis, const Dim& size) {
  const auto from_start = [&](std::int64_t at) { return at < 0 ? size + at : Dim(at); };
  const auto& begin = p.begin[axis];
  const auto& end = p.end[axis];
  if (p.step_at(axis) > 0) {
    return {begin ? max(from_start(*begin), 0) : Dim(0), end ? min(from_start(*end), size) : size};
  }
  return {begin ? min(from_start(*begin), size - 1) : size - 1,
          end ? max(from_start(*end), -1) : Dim(-1)};
}

Dim span_size(const Span& span, std::int64_t step) {
  const Dim distance = step > 0 ? span.stop - span.first : span.first - span.stop;
  return max(ceil_div(distance, step > 0 ? step : -step), 0);
}

void check_rank(const AssignParam& p, InferContext& c) {
  const Shape& data = c.input_shape(0);
  if (data.known_rank() && (data.rank() == 0 || p.begin.size() > data.rank())) {
    c.fail_input(0, fmt::format("at least {} dimensions, as `begin` has",
                                std::max<std::size_t>(p.begin.size(), 1)));
  }
}

void infer_assign(const AssignParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_shape(0, c.output_shape(0));
  check_rank(p, c);
  if (!c.input_shape(0).known_rank()) return;
  Shape part = c.input_shape(0);
  for (std::size_t i = 0; i < p.begin.size(); ++i) {
    if (p.whole(i)) continue;
    // Of a free size the expression need not be the one that the part was made with.
    part[i] = part[i].is_constant() ? span_size(span_at(p, i, part[i]), p.step_at(i)) : Dim();
  }
  c.set_input_shape(1, part);
}

// An index along an axis, and whether the part has it.
struct Place {
  Value hit;    // bool (size)
  Value index;  // int64 (size), of the part where it is hit
};

Place place_at(Builder& b, const AssignParam& p, std::size_t axis, const Dim& size,
               const Dim& part_size) {
  const Span span = span_at(p, axis, size);
  const std::int64_t step = p.step_at(axis);
  const Value at = counting(b, size);
  const Value first = onnx::size_tensor(b, span.first);
  const Value distance = step > 0 ? b.sub(at, first) : b.sub(first, at);
  const Value stride = b.int_scalar(step > 0 ? step : -step);
  const Value index = b.div(distance, stride);
  const Value stop = onnx::size_tensor(b, span.stop);
  Value hit = b.unary("Not", b.binary("Less", distance, b.int_scalar(0)));
  hit = b.binary("And", hit, step > 0 ? b.binary("Less", at, stop) : b.binary("Less", stop, at));
  if (step != 1 && step != -1) {
    hit = b.binary("And", hit, b.binary("Equal", b.mul(index, stride), distance));
  }
  const Value last = onnx::size_tensor(b, part_size - 1);
  return {hit, b.binary("Max", b.binary("Min", index, last), b.int_scalar(0))};
}

// `part` as wide as the data along the axes that are cut, and chosen where it lies.
Value assigned(Translation& t, const AssignParam& p, Value part) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const DType dtype = t.output_type(0).dtype;
  const bool is_scalar = b.shape(part).rank() == 0;
  Value mask;
  for (std::size_t i = 0; i < p.begin.size(); ++i) {
    if (p.whole(i)) continue;
    const Place place = place_at(b, p, i, data[i], is_scalar ? Dim(1) : b.shape(part)[i]);
    const Value hit = along_axis(b, place.hit, i, data.rank());
    mask = mask.present() ? b.binary("And", mask, hit) : hit;
    if (!is_scalar) part = b.gather(part, place.index, static_cast<std::int64_t>(i));
  }
  if (!mask.present()) return is_scalar ? onnx::expand(b, part, data) : part;
  // ONNX Runtime does not choose between narrow integers and booleans.
  const DType compute = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  return b.cast(b.where(mask, b.cast(part, compute), b.cast(t.input(0), compute)), dtype);
}

bool is_empty(const AssignParam& p, const Shape& data) {
  for (std::size_t i = 0; i < p.begin.size(); ++i) {
    const Dim size = span_size(span_at(p, i, data[i]), p.step_at(i));
    if (size.is_constant() && size.value() == 0) return true;
  }
  return false;
}

void translate_assign(const AssignParam& p, Translation& t) {
  t.set_output(0, is_empty(p, t.input_shape(0)) ? t.input(0) : assigned(t, p, t.input(1)));
}

void infer_assign_scalar(const AssignScalarParam& p, InferContext& c) {
  c.unify_dtypes();
  c.unify_shapes();
  // MXNet looks at nothing where there are no elements.
  if (!c.input_shape(0).is_empty()) check_rank(p, c);
}

void translate_assign_scalar(const AssignScalarParam& p, Translation& t) {
  const DType dtype = t.output_type(0).dtype;
  if (!has_defined_value(p.scalar, dtype)) {
    return t.refuse(
        fmt::format("the scalar {} is not a number of {}", p.scalar, dtype_name(dtype)));
  }
  const bool empty = is_empty(p, t.input_shape(0));
  t.set_output(0, empty ? t.input(0) : assigned(t, p, t.b.scalar(dtype, p.scalar)));
}

struct ScatterSetParam {
  Tuple shape;
  static void declare(AttrDeclarer<ScatterSetParam>& d) {
    d.field("shape", &ScatterSetParam::shape).required().at_least(0).help("of the result");
  }
};

void infer_scatter_set(const ScatterSetParam& p, InferContext& c) {
  const Shape result = Shape::of({p.shape.begin(), p.shape.end()});
  c.set_input_shape(0, result);
  c.set_output_shape(0, result);
  for (const DType dtype : {c.input(0).dtype, c.input(1).dtype, c.output(0).dtype}) {
    c.set_input_dtype(0, dtype);
    c.set_input_dtype(1, dtype);
    c.set_output_dtype(0, dtype);
  }
  const Shape& indices = c.input_shape(2);
  if (!indices.known_rank()) return;
  if (indices.rank() < 2) c.fail_input(2, "at least 2 dimensions");
  if (!indices[0].is_constant()) return;
  const auto count = static_cast<std::size_t>(indices[0].value());
  if (count > p.shape.size()) {
    c.fail_input(2, fmt::format("at most {} coordinates", p.shape.size()));
  }
  std::vector<Dim> dims(indices.dims().begin() + 1, indices.dims().end());
  for (std::size_t i = count; i < p.shape.size(); ++i) dims.emplace_back(p.shape[i]);
  c.set_input_shape(1, Shape(std::move(dims)));
}

void translate_scatter_set(const ScatterSetParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  if (!t.input_shape(2)[0].is_constant()) return t.refuse("needs the number of coordinates");
  const std::size_t rank = t.input_rank(2);
  const Value rows = b.transpose(b.cast(t.input(2), DType::kInt64), move_perm(rank, 0, rank - 1));
  t.set_output(0, b.emit("ScatterND", {t.input(0), rows, t.input(1)}, {}, t.output_type(0)));
}

void infer_retain(const NoParam& /*p*/, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_shape(0, c.output_shape(0));
  c.set_input_shape(1, Shape::unknown_dims(1));
  if (c.input_shape(0).known_rank() && c.input_shape(0).rank() == 0) {
    c.fail_input(0, "at least 1 dimension");
  }
}

// Rows that are not named become 0, NaN too.
void translate_retain(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const DType dtype = t.output_type(0).dtype;
  const Value named = onnx::unsqueeze(b, b.cast(t.input(1), DType::kInt64), {0});
  const Value places = onnx::unsqueeze(b, counting(b, data[0]), {1});
  const Value equal = b.cast(b.binary("Equal", places, named), DType::kInt32);
  const Value kept = b.cast(onnx::reduce(b, "ReduceMax", equal, {1}, false), DType::kBool);
  const DType compute = dtype_size(dtype) == 1 ? DType::kInt32 : dtype;
  const Value rows = b.where(along_axis(b, kept, 0, data.rank()), b.cast(t.input(0), compute),
                             b.scalar(compute, 0));
  t.set_output(0, b.cast(rows, dtype));
}

struct NnzParam {
  std::optional<std::int64_t> axis;
  static void declare(AttrDeclarer<NnzParam>& d) {
    // MXNet has no counts of columns.
    d.field("axis", &NnzParam::axis).at_least(1).at_most(1).help("1: of each row; None: of all");
  }
};

void infer_nnz(const NnzParam& p, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  c.set_input_shape(0, Shape::unknown_dims(2));
  c.set_output_shape(0, Shape{p.axis ? c.input_shape(0)[0] : Dim(1)});
}

void translate_nnz(const NnzParam& p, Translation& t) {
  Builder& b = t.b;
  const Value some = b.cast(b.cast(t.input(0), DType::kBool), DType::kInt64);
  if (p.axis) return t.set_output(0, onnx::reduce(b, "ReduceSum", some, {1}, false));
  t.set_output(0, onnx::reshape(b, onnx::reduce(b, "ReduceSum", some, {0, 1}, true), Shape{1}));
}

}  // namespace

void register_assign(Registry& r) {
  r.add<AssignParam>({"_slice_assign", "_crop_assign", "_npi_slice_assign"})
      .summary("An array with a slice replaced by another array.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_assign)
      .translate(translate_assign)
      .check(check_assign);
  r.add<AssignScalarParam>(
       {"_slice_assign_scalar", "_crop_assign_scalar", "_npi_slice_assign_scalar"})
      .summary("An array with a slice replaced by a number.")
      .infer(infer_assign_scalar)
      .translate(translate_assign_scalar)
      .check(check_assign);
  r.add<ScatterSetParam>({"_scatter_set_nd", "_npi_scatter_set_nd"})
      .summary("An array with elements or slices replaced by their coordinates.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_scatter_set)
      .translate(translate_scatter_set)
      .note("The number of coordinates, the first size of indices, has to be known.")
      .note(
          "Of elements for the same place any one may be taken, and negative indices, which MXNet "
          "does not check, count from the end.");
  r.add<NoParam>({"_sparse_retain"})
      .summary("An array with the rows that are not named set to 0.")
      .inputs({{"data", InputRole::kData}, {"indices", InputRole::kData}})
      .infer(infer_retain)
      .translate(translate_retain);
  r.add<NnzParam>({"_contrib_getnnz"})
      .summary("How many elements are not 0.")
      .infer(infer_nnz)
      .translate(translate_nnz)
      .note("A stored 0, which MXNet counts, is not counted.");
}

}  // namespace mx2onnx
