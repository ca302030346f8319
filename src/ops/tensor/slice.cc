// Operators that take a part of an array: slices, crops, and splits into several parts.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/tensor/slice_ranges.h"

namespace mx2onnx {
namespace {

using onnx::SliceRange;
using onnx::Value;

using Bound = std::optional<std::int64_t>;

struct SliceParam {
  OptionalTuple begin;
  OptionalTuple end;
  std::optional<OptionalTuple> step = OptionalTuple();

  static void declare(AttrDeclarer<SliceParam>& d) {
    d.field("begin", &SliceParam::begin)
        .required()
        .help("first index along each of the first axes; negative from the end; None: all");
    d.field("end", &SliceParam::end).required().help("the index after the last one");
    d.field("step", &SliceParam::step).help("not 0; negative runs backwards");
  }

  std::int64_t step_at(std::size_t i) const {
    return step && i < step->size() ? (*step)[i].value_or(1) : 1;
  }
};

std::vector<AttrProblem> check_slice(const SliceParam& p, const CheckContext& /*context*/) {
  return check_slice_ranges(p.begin, p.end, p.step.value_or(OptionalTuple()));
}

// True if a size cannot be 0: in MXNet's old shapes 0 means "not known", and only the result of an
// empty slice, which is a maximum with 0, has it all the same.
bool never_zero(const Dim& size, bool np_shape) {
  if (!size.is_symbolic()) return size.known() && size.value() > 0;
  if (np_shape) return false;
  const auto is_max = [](const DimAtom* atom) { return atom->kind == DimAtom::Kind::kMax; };
  const auto& terms = size.expr()->terms;
  return std::none_of(terms.begin(), terms.end(), [&](const DimTerm& term) {
    return std::any_of(term.atoms.begin(), term.atoms.end(), is_max);
  });
}

// The size of a slice of one axis. Written case by case such that the expressions of free sizes
// stay short: `size - 1`, not `size - max(size - (size - 1), 0)`.
class SlicedSize {
 public:
  SlicedSize(const Dim& size, bool np_shape)
      : size_(size), least_(never_zero(size, np_shape) ? 1 : 0) {}

  Dim get(const Bound& begin, const Bound& end, std::int64_t step) const {
    if (!size_.known()) return {};
    const Dim count = step > 0 ? forward(begin.value_or(0), end) : backward(begin, end);
    return step > 0 ? ceil_div(count, step) : ceil_div(count, -step);
  }

 private:
  // What is certain because the size is at least `least_`.
  Dim at_least_zero(const Dim& dim) const {
    return certainly_at_least(dim, size_ - least_) ? dim : max(dim, 0);
  }
  Dim at_most_size(const Dim& dim) const {
    return certainly_at_least(least_, dim) ? dim : min(dim, size_);
  }

  Dim forward(std::int64_t begin, const Bound& end) const {
    const bool end_counts_back = !end || *end < 0;
    const Dim behind_last = size_ + end.value_or(0);  // if it counts back
    if (begin >= 0 && end_counts_back) return at_least_zero(behind_last - begin);
    if (begin >= 0) return begin == 0 ? at_most_size(*end) : max(at_most_size(*end) - begin, 0);
    if (!end) return at_most_size(-begin);
    if (end_counts_back) return *end <= begin ? Dim(0) : max(min(behind_last, *end - begin), 0);
    return max(at_most_size(*end) - at_least_zero(size_ + begin), 0);
  }

  Dim backward(const Bound& begin, const Bound& end) const {
    const bool begin_counts_back = !begin || *begin < 0;
    // One more than the first index, and one more than the last one that is not taken.
    const Dim above = begin_counts_back ? size_ + begin.value_or(-1) + 1 : at_most_size(*begin + 1);
    if (!end) return begin_counts_back ? at_least_zero(above) : above;
    if (*end >= 0) return max(above - (*end + 1), 0);
    const std::int64_t distance = begin.value_or(-1) - *end;
    if (begin_counts_back) return distance <= 0 ? Dim(0) : max(min(above, distance), 0);
    return max(above - at_least_zero(size_ + *end + 1), 0);
  }

  Dim size_;
  std::int64_t least_;
};

// How many elements a slice along one axis has (GetIndexRange in tensor/matrix_op-inl.h).
Dim sliced_size(const SliceParam& p, std::size_t axis, const Dim& size, bool np_shape) {
  return SlicedSize(size, np_shape).get(p.begin[axis], p.end[axis], p.step_at(axis));
}

void slice_value(const SliceParam& p, InferContext& c) {
  const auto* value = c.input_value(0);
  if (value == nullptr || p.begin.size() != 1 || c.input_shape(0).rank() != 1) return;
  const auto size = static_cast<std::int64_t>(value->size());
  const std::int64_t step = p.step_at(0);
  std::int64_t at = p.begin[0].value_or(step > 0 ? 0 : size - 1);
  if (at < 0) at += size;
  at = step > 0 ? std::max<std::int64_t>(at, 0) : std::min(at, size - 1);
  std::vector<Dim> result;
  for (std::int64_t left = sliced_size(p, 0, size, c.np_shape()).value(); left > 0;
       --left, at += step) {
    result.push_back((*value)[static_cast<std::size_t>(at)]);
  }
  c.set_output_value(0, std::move(result));
}

void infer_slice(const SliceParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (from.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (p.begin.size() > from.rank()) {
    c.fail_input(0, fmt::format("at least {} dimensions, as `begin` has", p.begin.size()));
  }
  Shape to = from;
  for (std::size_t i = 0; i < p.begin.size(); ++i) {
    to[i] = sliced_size(p, i, from[i], c.np_shape());
  }
  c.set_output_shape(0, to);
  slice_value(p, c);
}

// A part along some axes; an array without elements where there are none.
Value emit_slice(Translation& t, Value x, const std::vector<SliceRange>& ranges,
                 const Shape& result) {
  return ranges.empty() ? x : onnx::slice(t.b, x, ranges, result);
}

void translate_slice(const SliceParam& p, Translation& t) {
  Shape from = t.input_shape(0);
  std::vector<SliceRange> cuts;
  std::vector<SliceRange> ranges;
  for (std::size_t i = 0; i < p.begin.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    const std::int64_t step = p.step_at(i);
    if (step == 1 && from[i] == t.output_shape(0)[i]) continue;
    SliceRange range{axis, p.begin[i].value_or(step > 0 ? 0 : onnx::kSliceEnd),
                     p.end[i].value_or(step > 0 ? onnx::kSliceEnd : onnx::kSliceBegin), step};
    if (t.output_shape(0)[i] == Dim(0)) {
      range = {axis, 0, 0, 1};
    } else if (step < 0 && p.begin[i].value_or(0) < -1 && !from[i].is_constant()) {
      // The first index may lie before the array. MXNet then takes nothing, but ONNX the first
      // element: what is behind that index is cut off beforehand, and the last one left is it.
      const std::int64_t behind = *p.begin[i] + 1;
      cuts.push_back({axis, 0, behind, 1});
      from[i] = max(from[i] + behind, 0);
      range.start = -1;
      if (p.end[i] && *p.end[i] < 0) range.end = *p.end[i] - behind;
    }
    ranges.push_back(range);
  }
  const Value cut = emit_slice(t, t.input(0), cuts, from);
  t.set_output(0, emit_slice(t, cut, ranges, t.output_shape(0)));
}

struct SliceAxisParam {
  std::int64_t axis = 0;
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;

  static void declare(AttrDeclarer<SliceAxisParam>& d) {
    d.field("axis", &SliceAxisParam::axis).required().help("the axis");
    d.field("begin", &SliceAxisParam::begin).required().help("first index; negative from the end");
    d.field("end", &SliceAxisParam::end).required().help("the index after the last one");
  }
};

// [begin, end) counted from the start.
std::pair<Dim, Dim> axis_bounds(const SliceAxisParam& p, const Dim& size) {
  const Dim begin = p.begin < 0 ? size + p.begin : Dim(p.begin);
  const std::int64_t end = p.end.value_or(0);
  return {begin, !p.end ? size : end < 0 ? size + end : Dim(end)};
}

// GPT-2 of GluonNLP knows the length of its past by the last of 0, 1, 2, …: that is one less than a
// size. A past of no steps has no last element, and MXNet, which had no arrays without elements
// then, never met one; what the size says, -1, is what the model means.
std::optional<Dim> element_of_progression(const InferContext& c, const Dim& begin,
                                          const Shape& result) {
  const auto& progression = c.input_progression(0);
  const DType dtype = c.input(0).dtype;
  const bool is_exact = dtype == DType::kFloat32 || dtype == DType::kFloat64 ||
                        dtype == DType::kInt32 || dtype == DType::kInt64;
  if (!progression || c.np_shape() || !is_exact) return std::nullopt;
  if (begin.is_constant() && begin.value() >= 0) return std::nullopt;
  if (result != Shape{1}) return std::nullopt;
  return begin * progression->step + progression->start;
}

void infer_slice_axis(const SliceAxisParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& from = c.input_shape(0);
  if (!from.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, from.rank());
  Shape to = from;
  const auto [begin, end] = axis_bounds(p, from[axis]);
  to[axis] = end - begin;
  if (const auto value = element_of_progression(c, begin, to)) {
    c.set_output_shape(0, to);
    return c.set_output_value(0, {*value});
  }
  if (from[axis] == Dim(0)) return c.set_output_shape(0, from);
  // MXNet wants the bounds within the axis, and at least one element.
  const auto negative = [](const Dim& dim) { return dim.is_constant() && dim.value() < 0; };
  if (negative(begin) || negative(from[axis] - end) || negative(to[axis] - 1)) {
    c.fail_input(0, fmt::format("at least one element from {} to {} along axis {}", p.begin,
                                p.end ? std::to_string(*p.end) : "the end", axis));
  }
  c.set_output_shape(0, to);
  if (const auto* value = c.input_value(0); value != nullptr && from.rank() == 1) {
    c.set_output_value(0, {value->begin() + begin.value(), value->begin() + end.value()});
  }
}

void translate_slice_axis(const SliceAxisParam& p, Translation& t) {
  const std::size_t axis = checked_axis(p.axis, t.input_rank(0));
  if (const auto* value = t.output_value(0); value != nullptr && t.input_value(0) == nullptr) {
    const Value sizes = onnx::sizes_tensor(t.b, *value);
    return t.set_output(0, t.b.cast(sizes, t.output_type(0).dtype));
  }
  if (t.input_shape(0)[axis] == t.output_shape(0)[axis]) return t.set_output(0, t.input(0));
  const SliceRange range{static_cast<std::int64_t>(axis), p.begin, p.end.value_or(onnx::kSliceEnd),
                         1};
  t.set_output(0, onnx::slice(t.b, t.input(0), {range}, t.output_shape(0)));
}

struct SliceLikeParam {
  std::optional<Tuple> axes = Tuple();
  static void declare(AttrDeclarer<SliceLikeParam>& d) {
    d.field("axes", &SliceLikeParam::axes).help("empty: all; None: not one");
  }
};

std::vector<std::size_t> sliced_axes(const SliceLikeParam& p, std::size_t rank) {
  std::vector<std::size_t> axes;
  if (!p.axes) return axes;
  for (const std::int64_t axis : p.axes->empty() ? Tuple(iota(rank)) : *p.axes) {
    axes.push_back(checked_axis(axis, rank, "axes"));
  }
  return axes;
}

void infer_slice_like(const SliceLikeParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape& from = c.input_shape(0);
  const Shape& like = c.input_shape(1);
  if (!from.known_rank() || !like.known_rank()) return;
  // MXNet leaves the result of a 0-d array unwritten.
  if (from.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (p.axes && p.axes->empty() && from.rank() != like.rank()) {
    c.fail_input(1, fmt::format("{} dimensions as in the first input", from.rank()));
  }
  Shape to = from;
  for (const std::size_t axis : sliced_axes(p, from.rank())) {
    if (axis >= like.rank()) c.fail_input(1, fmt::format("more than {} dimensions", axis));
    to[axis] = like[axis];
    const Dim surplus = from[axis] - like[axis];
    if (surplus.is_constant() && surplus.value() < 0) {
      c.fail_input(1, fmt::format("at most {} along axis {}", from[axis].to_string(), axis));
    }
  }
  c.set_output_shape(0, to);
}

void translate_slice_like(const SliceLikeParam& p, Translation& t) {
  std::vector<SliceRange> ranges;
  auto axes = sliced_axes(p, t.input_rank(0));
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  for (const std::size_t axis : axes) {
    const Dim& size = t.output_shape(0)[axis];
    if (!(t.input_shape(0)[axis] == size)) {
      ranges.push_back({static_cast<std::int64_t>(axis), 0, size, 1});
    }
  }
  t.set_output(0, emit_slice(t, t.input(0), ranges, t.output_shape(0)));
}

struct CropParam {
  std::int64_t num_args = 1;
  Tuple offset{0, 0};
  Tuple h_w{0, 0};
  bool center_crop = false;

  static void declare(AttrDeclarer<CropParam>& d) {
    d.field("num_args", &CropParam::num_args)
        .required()
        .at_least(1)
        .at_most(2)
        .help("2: to the size of a second input");
    d.field("offset", &CropParam::offset).sizes(2, 32).at_least(0).help("first row and column");
    d.field("h_w", &CropParam::h_w).sizes(2, 32).at_least(0).help("height and width of the crop");
    d.field("center_crop", &CropParam::center_crop).help("take the middle");
  }
};

std::vector<InputDef> crop_inputs(const CropParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}};
  if (p.num_args == 2) inputs.push_back({"crop_like", InputRole::kData});
  return inputs;
}

std::vector<AttrProblem> check_crop(const CropParam& p, const CheckContext& /*context*/) {
  if (p.num_args == 2 || (p.h_w[0] > 0 && p.h_w[1] > 0)) return {};
  return {
      {"h_w", fmt::format("expected at least (1, 1), got {}", attr_detail::text_of(p.h_w)), ""}};
}

// First row or column of a crop.
Dim crop_start(const CropParam& p, std::size_t i, const Dim& size, const Dim& cropped) {
  return p.center_crop ? floor_div(size - cropped, 2) : Dim(p.offset[i]);
}

void infer_crop(const CropParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(4));
  Shape to = c.input_shape(0);
  if (p.num_args == 2) {
    if (!c.input_shape(1).known_rank()) return;
    if (c.input_shape(1).rank() < 4) c.fail_input(1, "at least 4 dimensions");
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const Dim& size = c.input_shape(0)[i + 2];
    to[i + 2] = p.num_args == 2 ? c.input_shape(1)[i + 2] : Dim(p.h_w[i]);
    const Dim surplus = size - crop_start(p, i, size, to[i + 2]) - to[i + 2];
    if (surplus.is_constant() && surplus.value() < 0) {
      c.fail_input(0,
                   fmt::format("at least {} along axis {}", (size - surplus).to_string(), i + 2));
    }
  }
  c.set_output_shape(0, to);
}

void translate_crop(const CropParam& p, Translation& t) {
  std::vector<SliceRange> ranges;
  for (std::size_t i = 0; i < 2; ++i) {
    const Dim& size = t.input_shape(0)[i + 2];
    const Dim& cropped = t.output_shape(0)[i + 2];
    if (size == cropped) continue;
    const Dim start = crop_start(p, i, size, cropped);
    ranges.push_back({static_cast<std::int64_t>(i + 2), start, start + cropped, 1});
  }
  t.set_output(0, emit_slice(t, t.input(0), ranges, t.output_shape(0)));
}

}  // namespace

void register_slice(Registry& r) {
  r.add<SliceParam>({"slice", "crop", "_npi_slice", "_npx_slice", "_sparse_slice"})
      .summary("A part of an array, with steps.")
      .infer(infer_slice)
      .translate(translate_slice)
      .check(check_slice);
  r.add<SliceAxisParam>({"slice_axis"})
      .summary("A part along one axis.")
      .infer(infer_slice_axis)
      .translate(translate_slice_axis);
  r.add<SliceLikeParam>({"slice_like", "_npx_slice_like"})
      .summary("The first elements along some axes, as many as another array has.")
      .inputs({{"data", InputRole::kData}, {"shape_like", InputRole::kData}})
      .infer(infer_slice_like)
      .translate(translate_slice_like);
  r.add<CropParam>({"Crop"})
      .summary("A part of an image.")
      .inputs_by(crop_inputs)
      .infer(infer_crop)
      .translate(translate_crop)
      .check(check_crop);
}

}  // namespace mx2onnx
