// The array, or each of its elements, many times over: tile, repeat
// (src/operator/tensor/matrix_op-inl.h).
#include <fmt/format.h>

#include <algorithm>

#include "base/budget.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct TileParam {
  std::optional<Tuple> reps;
  static void declare(AttrDeclarer<TileParam>& d) {
    d.field("reps", &TileParam::reps).required().at_least(0).help("repetitions of the last axes");
  }
};

// Repetitions of each axis of the result, and the input's shape with as many axes.
std::pair<Tuple, Shape> tiled(const TileParam& p, const Shape& from) {
  // None repeats nothing.
  const Tuple given = p.reps.value_or(Tuple());
  const std::size_t rank = std::max(from.rank(), given.size());
  Tuple reps(rank - given.size(), 1);
  reps.insert(reps.end(), given.begin(), given.end());
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

// NumPy's: a number for each element along the axis, or one for all of them.
struct RepeatsParam {
  std::optional<Tuple> repeats;
  std::optional<std::int64_t> axis;
  static void declare(AttrDeclarer<RepeatsParam>& d) {
    d.field("repeats", &RepeatsParam::repeats)
        .required()
        .at_least(0)
        .sizes(1, 1 << 20)
        .help("of each element along the axis, or one number for all");
    d.field("axis", &RepeatsParam::axis).help("None: of the flattened array");
  }
  RepeatParam for_all() const { return {repeats->front(), axis}; }
};

std::vector<AttrProblem> check_repeats(const RepeatsParam& p, const CheckContext& /*context*/) {
  if (p.repeats) return {};
  return {{"repeats", "expected numbers, got None", ""}};
}

void infer_repeats(const RepeatsParam& p, InferContext& c) {
  if (p.repeats->size() == 1) return infer_repeat(p.for_all(), c);
  c.unify_dtypes();
  Shape to = c.input_shape(0);
  if (!to.known_rank()) return;
  if (!p.axis) to = Shape{to.count()};
  const std::size_t axis = checked_axis(p.axis.value_or(0), to.rank());
  const auto count = static_cast<std::int64_t>(p.repeats->size());
  if (p.axis) {
    Shape known = Shape::unknown_dims(to.rank());
    known[axis] = count;
    c.set_input_shape(0, known);
  } else if (to[0].is_constant() && to[0].value() != count) {
    c.fail_input(0, fmt::format("{} elements as in repeats", count));
  }
  std::int64_t total = 0;
  for (const auto repeat : *p.repeats) total += repeat;
  to[axis] = total;
  if (total == 0) to = {0};
  c.set_output_shape(0, to);
}

void translate_repeats(const RepeatsParam& p, Translation& t) {
  const bool is_first = !p.axis || checked_axis(*p.axis, t.input_rank(0)) == 0;
  if (!is_first && !t.output_shape(0).is_empty()) {
    return t.refuse(fmt::format("MXNet repeats along axis 0 whatever the axis is, {}", *p.axis),
                    "MXNet's own functions exchange the axis with axis 0 before and after");
  }
  if (p.repeats->size() == 1) return translate_repeat(p.for_all(), t);
  if (t.output_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(t.b, t.output_type(0).dtype, 0, t.output_shape(0)));
  }
  const Value x =
      p.axis ? t.input(0) : onnx::reshape(t.b, t.input(0), Shape{t.input_shape(0).count()});
  const std::size_t axis = checked_axis(p.axis.value_or(0), t.b.shape(x).rank());
  std::vector<std::int64_t> places;
  spend_elements(t.output_shape(0)[axis].value());
  for (std::size_t i = 0; i < p.repeats->size(); ++i) {
    places.insert(places.end(), static_cast<std::size_t>((*p.repeats)[i]),
                  static_cast<std::int64_t>(i));
  }
  t.set_output(0, t.b.gather(x, t.b.ints(places), static_cast<std::int64_t>(axis)));
}

}  // namespace

void register_tile(Registry& r) {
  r.add<TileParam>({"tile", "_npi_tile"})
      .summary("The array many times over.")
      .infer(infer_tile)
      .translate(translate_tile);
  r.add<RepeatParam>({"repeat", "_np_repeat", "_npi_repeat"})
      .summary("Each element many times over.")
      .infer(infer_repeat)
      .translate(translate_repeat);
  r.add<RepeatsParam>({"_npi_repeats"})
      .summary("Each element as many times over as a number for it says.")
      .infer(infer_repeats)
      .translate(translate_repeats)
      .check(check_repeats);
}

}  // namespace mx2onnx
