// Parts of an array by position: slice, slice_axis, slice_like (src/operator/tensor/matrix_op.cc)
// and the old Crop (src/operator/crop.cc).
//
// `slice` cuts bounds that are out of range as NumPy does; the other three refuse them. ONNX's
// Slice cuts them too, except that with a negative step it moves a start before the first element
// to the first element, where MXNet's result is empty.
#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::SliceRange;
using onnx::Value;

using Bound = std::optional<std::int64_t>;

// A Slice that leaves out the axes that stay as they are. An empty result is made anew.
Value emit_slice(Builder& b, Value x, std::vector<SliceRange> ranges, const Shape& result) {
  const auto has_zero = [](const Dim& dim) { return dim.is_constant() && dim.value() == 0; };
  if (std::any_of(result.dims().begin(), result.dims().end(), has_zero)) {
    return onnx::fill(b, b.dtype(x), 0, result);
  }
  const Shape from = b.shape(x);
  const auto stays = [&](const SliceRange& range) {
    const auto axis = static_cast<std::size_t>(range.axis);
    return range.step > 0 && from[axis] == result[axis];
  };
  ranges.erase(std::remove_if(ranges.begin(), ranges.end(), stays), ranges.end());
  return onnx::slice(b, x, ranges, result);
}

struct SliceParam {
  OptionalTuple begin;
  OptionalTuple end;
  OptionalTuple step;

  static void declare(AttrDeclarer<SliceParam>& d) {
    d.field("begin", &SliceParam::begin).required().help("first index along each of the axes");
    d.field("end", &SliceParam::end).required().help("index behind the last one");
    d.field("step", &SliceParam::step).help("1 for each axis if empty");
  }

  std::int64_t step_at(std::size_t axis) const { return step.empty() ? 1 : step[axis].value_or(1); }
};

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

// The elements of a small vector that are known before the model runs.
std::vector<Dim> slice_values(const std::vector<Dim>& values, const Bound& begin, std::int64_t step,
                              std::int64_t count) {
  const auto size = static_cast<std::int64_t>(values.size());
  std::int64_t at = begin.value_or(step > 0 ? 0 : -1);
  if (at < 0) at += size;
  at = step > 0 ? std::max<std::int64_t>(at, 0) : std::min(at, size - 1);
  std::vector<Dim> taken;
  for (std::int64_t i = 0; i < count; ++i) {
    taken.push_back(values[static_cast<std::size_t>(at + i * step)]);
  }
  return taken;
}

void infer_slice(const SliceParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape result = c.input_shape(0);
  if (!result.known_rank()) return;
  if (result.rank() == 0 || p.begin.size() > result.rank()) {
    c.fail_input(0,
                 fmt::format("at least {} dimensions", std::max<std::size_t>(1, p.begin.size())));
  }
  for (std::size_t axis = 0; axis < p.begin.size(); ++axis) {
    result[axis] =
        SlicedSize(result[axis], c.np_shape()).get(p.begin[axis], p.end[axis], p.step_at(axis));
  }
  c.set_output_shape(0, result);
  const auto* values = c.input_value(0);
  if (values == nullptr || result.rank() != 1 || !result.is_static()) return;
  c.set_output_value(0, p.begin.empty()
                            ? *values
                            : slice_values(*values, p.begin[0], p.step_at(0), result[0].value()));
}

SliceRange backward_range(std::int64_t axis, const Bound& begin, const Bound& end,
                          std::int64_t step) {
  return {axis, begin.value_or(-1), end.value_or(onnx::kSliceBegin), step};
}

void translate_slice(const SliceParam& p, Translation& t) {
  Value x = t.input(0);
  std::vector<SliceRange> cuts;
  std::vector<SliceRange> ranges;
  Shape cut_shape = t.input_shape(0);
  for (std::size_t i = 0; i < p.begin.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    const std::int64_t step = p.step_at(i);
    Bound begin = p.begin[i];
    Bound end = p.end[i];
    if (step > 0) {
      ranges.push_back({axis, begin.value_or(0), end.value_or(onnx::kSliceEnd), step});
      continue;
    }
    // A start that may lie before the first element: what is behind it is cut off beforehand, and
    // the start is then the last element, if there is one.
    if (begin && *begin < -1 && !cut_shape[i].is_constant()) {
      cuts.push_back({axis, 0, *begin + 1, 1});
      cut_shape[i] = max(cut_shape[i] + (*begin + 1), 0);
      if (end && *end < 0) *end -= *begin + 1;
      begin = -1;
    }
    ranges.push_back(backward_range(axis, begin, end, step));
  }
  x = onnx::slice(t.b, x, cuts, cut_shape);
  t.set_output(0, emit_slice(t.b, x, std::move(ranges), t.output_shape(0)));
}

std::vector<AttrProblem> check_slice(const SliceParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  const auto check_count = [&](std::string name, std::size_t count) {
    if (count == p.begin.size()) return;
    problems.push_back(
        {std::move(name),
         fmt::format("expected {} elements as in begin, got {}", p.begin.size(), count), ""});
  };
  check_count("end", p.end.size());
  if (!p.step.empty()) check_count("step", p.step.size());
  if (std::any_of(p.step.begin(), p.step.end(), [](const Bound& step) { return step == 0; })) {
    problems.push_back({"step", "expected steps other than 0, got 0", ""});
  }
  return problems;
}

struct SliceAxisParam {
  std::int64_t axis = 0;
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;

  static void declare(AttrDeclarer<SliceAxisParam>& d) {
    d.field("axis", &SliceAxisParam::axis).required().help("that is cut");
    d.field("begin", &SliceAxisParam::begin).required().help("first index");
    d.field("end", &SliceAxisParam::end)
        .required()
        .help("index behind the last one; None: the size of the axis");
  }
};

// The size of the result along the axis. MXNet wants 0 <= begin < end <= size.
Dim sliced_axis_size(const SliceAxisParam& p, const Dim& size) {
  if (size.is_constant() && size.value() == 0) return 0;
  const Dim begin = p.begin < 0 ? size + p.begin : Dim(p.begin);
  const Dim end = !p.end ? size : *p.end < 0 ? size + *p.end : Dim(*p.end);
  const Dim count = end - begin;
  const auto negative = [](const Dim& dim) { return dim.is_constant() && dim.value() < 0; };
  if (negative(begin) || negative(size - end) || negative(count - 1)) {
    fail(ErrorCode::kModel, fmt::format("begin {} and end {} do not fit a size of {}", p.begin,
                                        p.end ? std::to_string(*p.end) : "None", size.to_string()));
  }
  return count;
}

void infer_slice_axis(const SliceAxisParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape result = c.input_shape(0);
  if (!result.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, result.rank());
  result[axis] = sliced_axis_size(p, result[axis]);
  c.set_output_shape(0, result);
  const auto* values = c.input_value(0);
  if (values == nullptr || result.rank() != 1 || !result.is_static()) return;
  c.set_output_value(0, slice_values(*values, p.begin, 1, result[0].value()));
}

void translate_slice_axis(const SliceAxisParam& p, Translation& t) {
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axis, t.input_rank(0)));
  t.set_output(0, emit_slice(t.b, t.input(0), {{axis, p.begin, p.end.value_or(onnx::kSliceEnd), 1}},
                             t.output_shape(0)));
}

struct SliceLikeParam {
  std::optional<Tuple> axes = Tuple();

  static void declare(AttrDeclarer<SliceLikeParam>& d) {
    d.field("axes", &SliceLikeParam::axes).help("that are cut; all if empty, and no one for None");
  }
};

std::vector<std::size_t> sliced_axes(const SliceLikeParam& p, std::size_t rank) {
  std::vector<std::size_t> axes;
  if (!p.axes) return axes;
  for (const auto axis : p.axes->empty() ? iota(rank) : *p.axes) {
    const std::size_t at = checked_axis(axis, rank, "axes");
    if (std::find(axes.begin(), axes.end(), at) == axes.end()) axes.push_back(at);
  }
  return axes;
}

void infer_slice_like(const SliceLikeParam& p, InferContext& c) {
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  const Shape& like = c.input_shape(1);
  Shape result = c.input_shape(0);
  if (!result.known_rank() || !like.known_rank()) return;
  // MXNet's result is not even written.
  if (result.rank() == 0) c.fail_input(0, "at least 1 dimension");
  if (p.axes && p.axes->empty() && like.rank() != result.rank()) {
    c.fail_input(1, fmt::format("{} dimensions", result.rank()));
  }
  for (const std::size_t axis : sliced_axes(p, result.rank())) {
    // Negative axes count in the first input, and name an axis of the second one all the same.
    if (axis >= like.rank()) c.fail_input(1, fmt::format("at least {} dimensions", axis + 1));
    const bool both = result[axis].is_constant() && like[axis].is_constant();
    if (both && result[axis].value() < like[axis].value()) {
      c.fail_input(1, fmt::format("at most {} along axis {}", result[axis].value(), axis));
    }
    result[axis] = like[axis];
  }
  c.set_output_shape(0, result);
}

void translate_slice_like(const SliceLikeParam& p, Translation& t) {
  std::vector<SliceRange> ranges;
  for (const std::size_t axis : sliced_axes(p, t.input_rank(0))) {
    ranges.push_back({static_cast<std::int64_t>(axis), 0, t.input_shape(1)[axis], 1});
  }
  t.set_output(0, emit_slice(t.b, t.input(0), std::move(ranges), t.output_shape(0)));
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
        .help("2: the second input has the size of the result");
    d.field("offset", &CropParam::offset).help("of the first row and column");
    d.field("h_w", &CropParam::h_w).help("size of the result, for one input");
    d.field("center_crop", &CropParam::center_crop).help("the middle; offset is ignored");
  }
};

constexpr std::size_t kFirstSpatial = 2;

void infer_crop(const CropParam& p, InferContext& c) {
  // Crop is for float32 alone.
  for (std::size_t i = 0; i < c.num_inputs(); ++i) c.set_input_dtype(i, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
  Shape result = c.input_shape(0);
  if (!result.known_rank()) return;
  if (result.rank() != 4) c.fail_input(0, "4 dimensions");
  if (p.num_args == 2 && !c.input_shape(1).known_rank()) return;
  if (p.num_args == 2 && c.input_shape(1).rank() < 4) c.fail_input(1, "4 dimensions");
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t axis = kFirstSpatial + i;
    const Dim size = p.num_args == 2 ? c.input_shape(1)[axis] : Dim(p.h_w[i]);
    const Dim left = result[axis] - size - (p.center_crop ? 0 : p.offset[i]);
    if (left.is_constant() && left.value() < 0) {
      c.fail_input(0, fmt::format("at least {} along axis {}",
                                  (size + (p.center_crop ? 0 : p.offset[i])).to_string(), axis));
    }
    result[axis] = size;
  }
  c.set_output_shape(0, result);
}

void translate_crop(const CropParam& p, Translation& t) {
  std::vector<SliceRange> ranges;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t axis = kFirstSpatial + i;
    const Dim size = t.output_shape(0)[axis];
    const Dim start =
        p.center_crop ? floor_div(t.input_shape(0)[axis] - size, 2) : Dim(p.offset[i]);
    ranges.push_back({static_cast<std::int64_t>(axis), start, start + size, 1});
  }
  t.set_output(0, emit_slice(t.b, t.input(0), std::move(ranges), t.output_shape(0)));
}

std::vector<AttrProblem> check_crop(const CropParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  const auto check = [&](std::string name, const Tuple& tuple, std::int64_t least) {
    const auto fits = [&](std::int64_t value) { return value >= least; };
    if (tuple.size() >= 2 && std::all_of(tuple.begin(), tuple.begin() + 2, fits)) return;
    problems.push_back(
        {std::move(name), fmt::format("expected two integers of at least {}", least), ""});
  };
  if (p.num_args == 1) check("h_w", p.h_w, 1);
  if (!p.center_crop) check("offset", p.offset, 0);
  return problems;
}

}  // namespace

void register_slice(Registry& r) {
  r.add<SliceParam>({"slice", "_npi_slice", "_npx_slice", "_sparse_slice", "crop"})
      .summary("A part of an array, by first and last index and step along each of its axes.")
      .infer(infer_slice)
      .translate(translate_slice)
      .check(check_slice);
  r.add<SliceAxisParam>({"slice_axis"})
      .summary("A part of an array along one axis.")
      .infer(infer_slice_axis)
      .translate(translate_slice_axis);
  r.add<SliceLikeParam>({"slice_like"})
      .summary("The first elements of an array, as many along each axis as another array has.")
      .inputs({{"data", InputRole::kData}, {"shape_like", InputRole::kData}})
      .infer(infer_slice_like)
      .translate(translate_slice_like);
  r.add<CropParam>({"Crop"})
      .summary("A window of images, of a given size or that of another array.")
      .inputs_by([](const CropParam& p) {
        std::vector<InputDef> inputs{{"arg0", InputRole::kData}};
        if (p.num_args == 2) inputs.push_back({"arg1", InputRole::kData});
        return inputs;
      })
      .infer(infer_crop)
      .translate(translate_crop)
      .check(check_crop);
}

}  // namespace mx2onnx
