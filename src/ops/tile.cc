// Arrays that grow or turn: tile, repeat, reverse (src/operator/tensor/matrix_op-inl.h) and Pad
// (src/operator/pad.cc).
#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

Value emit_tile(Builder& b, Value x, const Tuple& reps) {
  if (std::all_of(reps.begin(), reps.end(), [](auto times) { return times == 1; })) return x;
  TensorType type = b.type(x);
  for (std::size_t axis = 0; axis < reps.size(); ++axis) {
    type.shape[axis] = type.shape[axis] * reps[axis];
  }
  return b.emit("Tile", {x, b.ints(reps)}, {}, std::move(type));
}

struct TileParam {
  Tuple reps;

  static void declare(AttrDeclarer<TileParam>& d) {
    d.field("reps", &TileParam::reps)
        .required()
        .at_least(0)
        .help("copies along each of the last axes; more of them than the array has add axes");
  }

  // One for each axis of a result.
  Tuple full_reps(std::size_t rank) const {
    Tuple full(rank - reps.size(), 1);
    full.insert(full.end(), reps.begin(), reps.end());
    return full;
  }
};

void infer_tile(const TileParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  auto dims = c.input_shape(0).dims();
  if (dims.size() < p.reps.size()) dims.insert(dims.begin(), p.reps.size() - dims.size(), 1);
  const Tuple reps = p.full_reps(dims.size());
  for (std::size_t axis = 0; axis < dims.size(); ++axis) dims[axis] = dims[axis] * reps[axis];
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_tile(const TileParam& p, Translation& t) {
  const std::size_t rank = t.output_shape(0).rank();
  const Tuple reps = p.full_reps(rank);
  if (std::find(reps.begin(), reps.end(), 0) != reps.end()) {
    return t.set_output(0, onnx::fill(t.b, t.input_type(0).dtype, 0, t.output_shape(0)));
  }
  const Value x = onnx::unsqueeze(t.b, t.input(0), iota(rank - t.input_rank(0)));
  t.set_output(0, emit_tile(t.b, x, reps));
}

struct RepeatParam {
  std::int64_t repeats = 1;
  std::optional<std::int64_t> axis;

  static void declare(AttrDeclarer<RepeatParam>& d) {
    d.field("repeats", &RepeatParam::repeats).required().at_least(0).help("of each element");
    d.field("axis", &RepeatParam::axis).help("None: the array is flattened");
  }
};

void infer_repeat(const RepeatParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape result = c.input_shape(0);
  if (!result.known_rank()) return;
  if (p.axis) {
    const std::size_t axis = checked_axis(*p.axis, result.rank());
    result[axis] = result[axis] * p.repeats;
  } else {
    result = Shape{result.count() * p.repeats};
  }
  // Repeated no times, an array of any shape becomes an empty vector.
  if (p.repeats == 0) result = Shape{0};
  c.set_output_shape(0, result);
}

void translate_repeat(const RepeatParam& p, Translation& t) {
  const Shape& result = t.output_shape(0);
  if (p.repeats == 0) return t.set_output(0, onnx::fill(t.b, t.input_type(0).dtype, 0, result));
  if (p.repeats == 1) return t.set_output(0, onnx::reshape(t.b, t.input(0), result));
  // A copy of each element next to it is a copy of the row along the axis behind it, read as one
  // row. Behind the last axis stands one of size 1.
  Value x = t.input(0);
  std::size_t behind = 1;
  if (!p.axis) {
    x = onnx::reshape(t.b, x, Shape{t.input_shape(0).count(), 1});
  } else {
    behind = checked_axis(*p.axis, t.input_rank(0)) + 1;
    const Dim& size = t.input_shape(0)[behind - 1];
    if (size.is_constant() && size.value() == 1) {
      --behind;
    } else if (behind == t.input_rank(0)) {
      x = onnx::unsqueeze(t.b, x, {static_cast<std::int64_t>(behind)});
    }
  }
  Tuple reps(t.b.shape(x).rank(), 1);
  reps[behind] = p.repeats;
  t.set_output(0, onnx::reshape(t.b, emit_tile(t.b, x, reps), result));
}

struct ReverseParam {
  Tuple axis;

  static void declare(AttrDeclarer<ReverseParam>& d) {
    d.field("axis", &ReverseParam::axis).required().sizes(0, 9).at_least(0).help("or several axes");
  }
};

void translate_reverse(const ReverseParam& p, Translation& t) {
  std::vector<onnx::SliceRange> ranges;
  for (std::size_t axis = 0; axis < t.input_rank(0); ++axis) {
    // An axis that is named twice is turned twice.
    const auto at = static_cast<std::int64_t>(axis);
    if (std::count(p.axis.begin(), p.axis.end(), at) % 2 == 0) continue;
    ranges.push_back({at, -1, onnx::kSliceBegin, -1});
  }
  t.set_output(0, onnx::slice(t.b, t.input(0), ranges, t.output_shape(0)));
}

void infer_reverse(const ReverseParam& p, InferContext& c) {
  infer_same(p, c);
  if (!c.input_shape(0).known_rank()) return;
  for (const auto axis : p.axis) checked_axis(axis, c.input_shape(0).rank());
}

struct PadParam {
  enum class Mode { kConstant, kEdge, kReflect };
  Mode mode = Mode::kConstant;
  Tuple pad_width;
  double constant_value = 0;

  static void declare(AttrDeclarer<PadParam>& d) {
    d.one_of("mode", &PadParam::mode, {"constant", "edge", "reflect"})
        .required()
        .help("what is put there");
    d.field("pad_width", &PadParam::pad_width)
        .required()
        .sizes(8, 10)
        .help("before and after each axis; 0 for the first two, below 0 cuts off");
    d.field("constant_value", &PadParam::constant_value).help("for the mode constant");
  }

  Tuple widths(std::size_t end) const {
    Tuple one_end;
    for (std::size_t i = end; i < pad_width.size(); i += 2) one_end.push_back(pad_width[i]);
    return one_end;
  }
};

void infer_pad(const PadParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape result = c.input_shape(0);
  if (!result.known_rank()) return;
  if (2 * result.rank() != p.pad_width.size()) {
    c.fail_input(0, fmt::format("{} dimensions as in pad_width", p.pad_width.size() / 2));
  }
  for (std::size_t axis = 0; axis < result.rank(); ++axis) {
    const std::int64_t before = p.pad_width[2 * axis];
    const std::int64_t after = p.pad_width[2 * axis + 1];
    const Dim& size = result[axis];
    // MXNet looks at the first two spatial axes only, and reads beyond the array along the third.
    const bool too_far = p.mode == PadParam::Mode::kReflect && size.is_constant() &&
                         (before > 0 || after > 0) && std::max(before, after) >= size.value();
    if (too_far) {
      c.fail_input(
          0, fmt::format("more than {} along axis {} to reflect", std::max(before, after), axis));
    }
    result[axis] = size + before + after;
    if (result[axis].is_constant() && result[axis].value() < 0) {
      c.fail_input(0, fmt::format("at least {} along axis {}", -(before + after), axis));
    }
  }
  c.set_output_shape(0, result);
}

void translate_pad(const PadParam& p, Translation& t) {
  constexpr std::array<std::string_view, 3> kModes = {"constant", "edge", "reflect"};
  Tuple before = p.widths(0);
  Tuple after = p.widths(1);
  // What is below 0 is cut off behind the padding, which so sees the whole array.
  std::vector<onnx::SliceRange> cuts;
  for (std::size_t axis = 0; axis < before.size(); ++axis) {
    if (before[axis] >= 0 && after[axis] >= 0) continue;
    cuts.push_back({static_cast<std::int64_t>(axis), std::max<std::int64_t>(-before[axis], 0),
                    after[axis] < 0 ? Dim(after[axis]) : Dim(onnx::kSliceEnd), 1});
    before[axis] = std::max<std::int64_t>(before[axis], 0);
    after[axis] = std::max<std::int64_t>(after[axis], 0);
  }
  const Value padded = onnx::pad(t.b, t.input(0), before, after,
                                 kModes[static_cast<std::size_t>(p.mode)], p.constant_value);
  t.set_output(0, onnx::slice(t.b, padded, cuts, t.output_shape(0)));
}

std::vector<AttrProblem> check_pad(const PadParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  const auto& widths = p.pad_width;
  if (widths.size() % 2 != 0) {
    problems.push_back(
        {"pad_width", fmt::format("expected 8 or 10 integers, got {}", widths.size()), ""});
  }
  if (std::any_of(widths.begin(), widths.begin() + 4, [](auto width) { return width != 0; })) {
    problems.push_back({"pad_width", "MXNet does not pad the first two axes", ""});
  }
  return problems;
}

}  // namespace

void register_tile(Registry& r) {
  r.add<TileParam>({"tile", "_npi_tile"})
      .summary("Copies of a whole array next to each other.")
      .infer(infer_tile)
      .translate(translate_tile);
  r.add<RepeatParam>({"repeat", "_np_repeat"})
      .summary("Copies of each element next to it.")
      .infer(infer_repeat)
      .translate(translate_repeat);
  r.add<ReverseParam>({"reverse", "flip"})
      .summary("The elements in reverse order along one or several axes.")
      .infer(infer_reverse)
      .translate(translate_reverse);
  r.add<PadParam>({"Pad", "pad"})
      .summary("Puts a border around images or volumes: a constant, their edge, or their mirror.")
      .infer(infer_pad)
      .translate(translate_pad)
      .check(check_pad)
      .note("The mode reflect needs an array larger than each border.");
}

}  // namespace mx2onnx
