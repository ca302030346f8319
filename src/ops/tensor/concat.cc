// Operators that put arrays together, or one array with itself, and that pad or turn it round.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct ConcatParam {
  std::int64_t num_args = 1;
  std::int64_t dim = 1;
  static void declare(AttrDeclarer<ConcatParam>& d) {
    d.field("num_args", &ConcatParam::num_args).required().at_least(1).help("number of inputs");
    d.field("dim", &ConcatParam::dim).help("the axis along which they are joined");
  }
};

// The rank that any of the inputs or the output has.
std::optional<std::size_t> any_rank(const InferContext& c) {
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (c.input_shape(i).known_rank()) return c.input_shape(i).rank();
  }
  if (c.output_shape(0).known_rank()) return c.output_shape(0).rank();
  return std::nullopt;
}

void infer_concat_value(InferContext& c) {
  std::vector<Dim> whole;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const auto* value = c.input_value(i);
    if (value == nullptr || c.input_shape(i).rank() != 1) return;
    whole.insert(whole.end(), value->begin(), value->end());
  }
  c.set_output_value(0, std::move(whole));
}

void infer_concat(const ConcatParam& p, InferContext& c) {
  c.unify_dtypes();
  const auto rank = any_rank(c);
  if (!rank) return;
  const std::size_t axis = checked_axis(p.dim, *rank, "dim");
  Shape common = Shape::unknown_dims(*rank);
  // What is not along the axis is the same in all of them.
  const auto learn = [&](const Shape& shape) {
    for (std::size_t i = 0; i < std::min(shape.rank(), *rank); ++i) {
      if (i != axis && !common[i].known()) common[i] = shape[i];
    }
  };
  for (std::size_t i = 0; i < c.num_inputs(); ++i) learn(c.input_shape(i));
  learn(c.output_shape(0));
  Dim total = 0;
  std::optional<std::size_t> open;  // the one input whose size along the axis is not known
  std::size_t num_open = 0;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    c.set_input_shape(i, common);
    const Dim& size = c.input_shape(i)[axis];
    if (size.known()) {
      total = total + size;
    } else {
      open = i;
      ++num_open;
    }
  }
  const Dim whole = c.output_shape(0).known_rank() ? c.output_shape(0)[axis] : Dim();
  if (num_open == 1 && whole.known()) {
    common[axis] = whole - total;
    c.set_input_shape(*open, common);
    num_open = 0;
    total = whole;
  }
  common[axis] = num_open == 0 ? total : Dim();
  c.set_output_shape(0, common);
  infer_concat_value(c);
}

// The parameter vector of an RNN knows its length: two parts of unknown length share what the
// others leave.
void infer_rnn_param_concat(const ConcatParam& p, InferContext& c) {
  infer_concat(p, c);
  if (!c.output_shape(0).known_rank()) return;
  const std::size_t axis = checked_axis(p.dim, c.output_shape(0).rank(), "dim");
  Dim rest = c.output_shape(0)[axis];
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const Dim& size = c.input_shape(i)[axis];
    if (size.known()) {
      rest = rest - size;
    } else {
      open.push_back(i);
    }
  }
  if (open.size() != 2) return;
  Shape half = Shape::unknown_dims(c.output_shape(0).rank());
  half[axis] = floor_div(rest, 2);
  for (const std::size_t i : open) c.set_input_shape(i, half);
}

void translate_concat(const ConcatParam& p, Translation& t) {
  if (t.num_inputs() == 1) return t.set_output(0, t.input(0));
  std::vector<Value> parts;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) parts.push_back(t.input(i));
  const std::size_t axis = checked_axis(p.dim, t.input_rank(0), "dim");
  t.set_output(
      0, t.b.emit("Concat", parts, {{"axis", static_cast<std::int64_t>(axis)}}, t.output_type(0)));
}

struct StackParam {
  std::int64_t axis = 0;
  std::int64_t num_args = 1;
  static void declare(AttrDeclarer<StackParam>& d) {
    d.field("axis", &StackParam::axis).help("of the result");
    d.field("num_args", &StackParam::num_args).required().at_least(1).help("number of inputs");
  }
};

// MXNet compares numbers of elements alone, and not even these where there are none to copy.
bool is_other_view(const Shape& shape, const Shape& expected) {
  // What is not known yet may still become another view.
  if (!shape.known() || !expected.known()) {
    bool may_be_same = shape.rank() == expected.rank();
    for (std::size_t axis = 0; may_be_same && axis < shape.rank(); ++axis) {
      const bool both = shape[axis].is_constant() && expected[axis].is_constant();
      may_be_same = !both || shape[axis] == expected[axis];
    }
    return !may_be_same;
  }
  if (!shape.is_static() || !expected.is_static() || shape == expected) return false;
  return expected.is_empty() || shape.count() == expected.count();
}

void infer_stack(const StackParam& p, InferContext& c) {
  c.unify_dtypes();
  const auto count = static_cast<std::int64_t>(c.num_inputs());
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const Shape part = c.input_shape(i);
    if (!part.known_rank()) continue;
    if (c.input_shape(0).known_rank() && is_other_view(part, c.input_shape(0))) continue;
    for (std::size_t k = 0; k < c.num_inputs(); ++k) {
      const Shape& other = c.input_shape(k);
      if (!other.known_rank() || !is_other_view(other, part)) c.set_input_shape(k, part);
    }
  }
  // The first one's shape is that of all.
  const Shape& part = c.input_shape(0);
  if (!part.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, part.rank() + 1);
  std::vector<Dim> dims = part.dims();
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), Dim(count));
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_stack(const StackParam& p, Translation& t) {
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axis, t.output_shape(0).rank()));
  std::vector<Value> parts;
  Shape shape = t.output_shape(0);
  shape[static_cast<std::size_t>(axis)] = 1;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    const bool same = t.input_shape(i) == t.input_shape(0);
    parts.push_back(same ? onnx::unsqueeze(t.b, t.input(i), {axis})
                         : onnx::reshape(t.b, t.input(i), shape));
  }
  t.set_output(0, parts.size() == 1 ? parts[0] : t.b.concat(parts, axis));
}

struct TileParam {
  Tuple reps;
  static void declare(AttrDeclarer<TileParam>& d) {
    d.field("reps", &TileParam::reps).required().at_least(0).help("repetitions of the last axes");
  }
};

// Repetitions of each axis of the result, and the input's shape with as many axes.
std::pair<Tuple, Shape> tiled(const TileParam& p, const Shape& from) {
  const std::size_t rank = std::max(from.rank(), p.reps.size());
  Tuple reps(rank - p.reps.size(), 1);
  reps.insert(reps.end(), p.reps.begin(), p.reps.end());
  std::vector<Dim> dims(rank - from.rank(), Dim(1));
  dims.insert(dims.end(), from.dims().begin(), from.dims().end());
  return {reps, Shape(dims)};
}

void infer_tile(const TileParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  auto [reps, to] = tiled(p, c.input_shape(0));
  for (std::size_t i = 0; i < reps.size(); ++i) to[i] = to[i] * reps[i];
  c.set_output_shape(0, to);
}

void translate_tile(const TileParam& p, Translation& t) {
  const auto [reps, from] = tiled(p, t.input_shape(0));
  const Value x = onnx::unsqueeze(t.b, t.input(0), iota(from.rank() - t.input_rank(0)));
  const bool is_same = std::all_of(reps.begin(), reps.end(), [](auto count) { return count == 1; });
  t.set_output(0, is_same ? x : t.b.emit("Tile", {x, t.b.ints(reps)}, {}, t.output_type(0)));
}

struct RepeatParam {
  std::int64_t repeats = 1;
  std::optional<std::int64_t> axis;
  static void declare(AttrDeclarer<RepeatParam>& d) {
    d.field("repeats", &RepeatParam::repeats).required().at_least(0).help("of each element");
    d.field("axis", &RepeatParam::axis).help("None: of the flattened array");
  }
};

void infer_repeat(const RepeatParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  Shape to = c.input_shape(0);
  if (p.repeats == 0) {
    to = {0};
  } else if (p.axis) {
    const std::size_t axis = checked_axis(*p.axis, to.rank());
    to[axis] = to[axis] * p.repeats;
  } else {
    to = {to.count() * p.repeats};
  }
  c.set_output_shape(0, to);
}

// Whether pixels of images are repeated: how Gluon's networks grow images, which is a Resize.
bool is_image_repeat(const RepeatParam& p, const Translation& t) {
  const Shape& shape = t.input_shape(0);
  if (!p.axis || shape.rank() != 4 || t.output_type(0).dtype != DType::kFloat32) return false;
  const bool empty = std::any_of(shape.dims().begin(), shape.dims().end(), [](const Dim& dim) {
    return dim.is_constant() && dim.value() == 0;
  });
  return !empty && p.repeats <= 16 && checked_axis(*p.axis, 4) >= 2;
}

void translate_repeat(const RepeatParam& p, Translation& t) {
  const Shape& to = t.output_shape(0);
  if (p.repeats == 0) return t.set_output(0, onnx::fill(t.b, t.output_type(0).dtype, 0, to));
  Value x = t.input(0);
  Shape from = t.input_shape(0);
  if (!p.axis) {
    from = {from.count()};
    x = onnx::reshape(t.b, x, from);
  }
  if (p.repeats == 1) return t.set_output(0, x);
  if (is_image_repeat(p, t)) {
    return t.set_output(
        0, onnx::resize(t.b, x, {to[2], to[3]}, "nearest", onnx::ResizeCoordinates::kAsymmetric));
  }
  // Each element is repeated along an axis of its own behind the axis.
  const auto axis = static_cast<std::int64_t>(checked_axis(p.axis.value_or(0), from.rank())) + 1;
  std::vector<Dim> dims = from.dims();
  dims.insert(dims.begin() + axis, Dim(p.repeats));
  Tuple reps(dims.size(), 1);
  reps[static_cast<std::size_t>(axis)] = p.repeats;
  const Value tiled = t.b.emit("Tile", {onnx::unsqueeze(t.b, x, {axis}), t.b.ints(reps)}, {},
                               {t.output_type(0).dtype, Shape(dims)});
  t.set_output(0, onnx::reshape(t.b, tiled, to));
}

struct ReverseParam {
  Tuple axis;
  static void declare(AttrDeclarer<ReverseParam>& d) {
    d.field("axis", &ReverseParam::axis)
        .required()
        .at_least(0)
        .help("turned round; twice is not at all");
  }
};

void infer_reverse(const ReverseParam& p, InferContext& c) {
  infer_same(p, c);
  if (!c.input_shape(0).known_rank()) return;
  for (const std::int64_t axis : p.axis) checked_axis(axis, c.input_shape(0).rank());
}

void translate_reverse(const ReverseParam& p, Translation& t) {
  std::vector<onnx::SliceRange> ranges;
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(t.input_rank(0)); ++axis) {
    if (std::count(p.axis.begin(), p.axis.end(), axis) % 2 == 1) {
      ranges.push_back({axis, onnx::kSliceEnd, onnx::kSliceBegin, -1});
    }
  }
  t.set_output(
      0, ranges.empty() ? t.input(0) : onnx::slice(t.b, t.input(0), ranges, t.output_shape(0)));
}

struct PadParam {
  enum class Mode { kConstant, kEdge, kReflect };
  Mode mode = Mode::kConstant;
  Tuple pad_width;
  double constant_value = 0;

  static void declare(AttrDeclarer<PadParam>& d) {
    d.one_of("mode", &PadParam::mode, {"constant", "edge", "reflect"})
        .required()
        .help("what is added");
    d.field("pad_width", &PadParam::pad_width)
        .required()
        .help("before and after each axis; nothing on the first two axes; below 0 cuts off");
    d.field("constant_value", &PadParam::constant_value).help("what the mode constant adds");
  }
  std::int64_t before(std::size_t axis) const { return pad_width[2 * axis]; }
  std::int64_t after(std::size_t axis) const { return pad_width[2 * axis + 1]; }
};

std::vector<AttrProblem> check_pad(const PadParam& p, const CheckContext& /*context*/) {
  const bool is_image = p.pad_width.size() == 8 || p.pad_width.size() == 10;
  if (is_image && std::all_of(p.pad_width.begin(), p.pad_width.begin() + 4,
                              [](auto width) { return width == 0; })) {
    return {};
  }
  return {{"pad_width",
           fmt::format("expected 8 or 10 elements, the first four 0, got {}",
                       attr_detail::text_of(p.pad_width)),
           ""}};
}

void infer_pad(const PadParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(p.pad_width.size() / 2));
  Shape to = c.input_shape(0);
  for (std::size_t i = 0; i < to.rank(); ++i) {
    const std::int64_t most = std::max(p.before(i), p.after(i));
    if (p.mode == PadParam::Mode::kReflect && most > 0 && to[i].is_constant() &&
        to[i].value() <= most) {
      c.fail_input(0, fmt::format("more than {} along axis {}, to reflect that many", most, i));
    }
    to[i] = to[i] + p.before(i) + p.after(i);
    if (to[i].is_constant() && to[i].value() < 0) {
      c.fail_input(0, fmt::format("at least {} along axis {}", -(p.before(i) + p.after(i)), i));
    }
  }
  c.set_output_shape(0, to);
}

void translate_pad(const PadParam& p, Translation& t) {
  constexpr std::array<std::string_view, 3> kModes = {"constant", "edge", "reflect"};
  onnx::Ints before;
  onnx::Ints after;
  std::vector<onnx::SliceRange> cuts;
  for (std::size_t i = 0; i < t.input_rank(0); ++i) {
    before.push_back(std::max<std::int64_t>(p.before(i), 0));
    after.push_back(std::max<std::int64_t>(p.after(i), 0));
    if (p.before(i) >= 0 && p.after(i) >= 0) continue;
    // Cut off after the padding, which in MXNet mirrors the whole array.
    cuts.push_back({static_cast<std::int64_t>(i), std::max<std::int64_t>(-p.before(i), 0),
                    p.after(i) < 0 ? Dim(p.after(i)) : Dim(onnx::kSliceEnd), 1});
  }
  const Value padded = onnx::pad(t.b, t.input(0), before, after,
                                 kModes[static_cast<std::size_t>(p.mode)], p.constant_value);
  t.set_output(0, cuts.empty() ? padded : onnx::slice(t.b, padded, cuts, t.output_shape(0)));
}

}  // namespace

void register_concat(Registry& r) {
  r.add<ConcatParam>({"Concat", "concat", "_sparse_concat"})
      .summary("Arrays joined along an axis.")
      .variadic()
      .infer(infer_concat)
      .translate(translate_concat);
  r.add<ConcatParam>({"_rnn_param_concat", "_npi_rnn_param_concat"})
      .summary("The weights and biases of an RNN joined to its parameter vector.")
      .variadic()
      .infer(infer_rnn_param_concat)
      .translate(translate_concat);
  r.add<StackParam>({"stack"})
      .summary("Arrays joined along a new axis.")
      .variadic()
      .infer(infer_stack)
      .translate(translate_stack);
  r.add<TileParam>({"tile", "_npi_tile"})
      .summary("The array many times over.")
      .infer(infer_tile)
      .translate(translate_tile);
  r.add<RepeatParam>({"repeat", "_np_repeat"})
      .summary("Each element many times over.")
      .infer(infer_repeat)
      .translate(translate_repeat);
  r.add<ReverseParam>({"reverse", "flip"})
      .summary("Axes turned round.")
      .infer(infer_reverse)
      .translate(translate_reverse);
  r.add<PadParam>({"Pad", "pad"})
      .summary("Images with a margin.")
      .infer(infer_pad)
      .translate(translate_pad)
      .check(check_pad);
}

}  // namespace mx2onnx
