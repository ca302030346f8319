// Axes in NumPy's interface: transpose, moveaxis, rollaxis, roll, rot90, flip and atleast_nd
// (src/operator/numpy/np_matrix_op-inl.h, np_init_op.cc).
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/numbered.h"
#include "ops/expressions/reshaping.h"
#include "ops/tensor/axes.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;
using Perm = std::vector<std::int64_t>;

// Axes counted from the start; fails where one is named twice.
std::vector<std::int64_t> different_axes(const Tuple& given, std::size_t rank,
                                         std::string_view attribute) {
  std::vector<std::int64_t> axes;
  for (const auto axis : given) {
    axes.push_back(static_cast<std::int64_t>(checked_axis(axis, rank, attribute)));
  }
  if (std::set<std::int64_t>(axes.begin(), axes.end()).size() != axes.size()) {
    fail(ErrorCode::kModel,
         fmt::format("{}: {} names an axis twice", attribute, attr_detail::text_of(given)));
  }
  return axes;
}

// The operators that are a transpose: where each axis of the result comes from.
template <typename P>
void infer_by_permutation(const P& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& known = c.input_shape(0).known_rank() ? c.input_shape(0) : c.output_shape(0);
  if (known.known_rank()) infer_permuted(c, p.permutation(known.rank()));
}

template <typename P>
void translate_by_permutation(const P& p, Translation& t) {
  t.set_output(0, t.b.transpose(t.input(0), p.permutation(t.input_rank(0))));
}

struct NpTransposeParam {
  std::optional<Tuple> axes;
  static void declare(AttrDeclarer<NpTransposeParam>& d) {
    d.field("axes", &NpTransposeParam::axes).help("None: all axes in reverse order");
  }

  Perm permutation(std::size_t rank) const {
    if (!axes) {
      Perm order = iota(rank);
      std::reverse(order.begin(), order.end());
      return order;
    }
    if (axes->size() != rank) {
      const ErrorScope scope = ErrorScope::attribute("axes");
      fail(ErrorCode::kModel,
           fmt::format("expected an order of {} axes, got {}", rank, attr_detail::text_of(*axes)));
    }
    return different_axes(*axes, rank, "axes");
  }
};

struct MoveAxisParam {
  Tuple source;
  Tuple destination;
  static void declare(AttrDeclarer<MoveAxisParam>& d) {
    d.field("source", &MoveAxisParam::source).required().help("axes that are moved");
    d.field("destination", &MoveAxisParam::destination)
        .required()
        .help("their places in the result");
  }

  Perm permutation(std::size_t rank) const {
    if (source.size() != destination.size()) {
      fail(ErrorCode::kModel, fmt::format("destination: expected as many axes as source has, {}, "
                                          "got {}",
                                          source.size(), destination.size()));
    }
    const auto from = different_axes(source, rank, "source");
    const auto to = different_axes(destination, rank, "destination");
    Perm result(rank, -1);
    std::vector<bool> moved(rank);
    for (std::size_t i = 0; i < from.size(); ++i) {
      result[static_cast<std::size_t>(to[i])] = from[i];
      moved[static_cast<std::size_t>(from[i])] = true;
    }
    std::size_t next = 0;
    for (auto& axis : result) {
      if (axis >= 0) continue;
      while (moved[next]) ++next;
      axis = static_cast<std::int64_t>(next++);
    }
    return result;
  }
};

struct RollAxisParam {
  std::int64_t axis = 0;
  std::int64_t start = 0;
  static void declare(AttrDeclarer<RollAxisParam>& d) {
    d.field("axis", &RollAxisParam::axis).required().help("that is moved");
    d.field("start", &RollAxisParam::start).help("the axis before which it comes to lie");
  }

  Perm permutation(std::size_t rank) const {
    const auto from = checked_axis(axis, rank);
    const std::size_t before =
        start == static_cast<std::int64_t>(rank) ? rank : checked_axis(start, rank, "start");
    return move_perm(rank, from, from < before ? before - 1 : before);
  }
};

struct RollParam {
  std::optional<Tuple> shift;
  std::optional<Tuple> axis;
  static void declare(AttrDeclarer<RollParam>& d) {
    d.field("shift", &RollParam::shift)
        .help("places that the elements move, of each axis or of all; needed");
    d.field("axis", &RollParam::axis).help("None: of the flattened array");
  }
};

std::vector<AttrProblem> check_roll(const RollParam& p, const CheckContext& /*context*/) {
  const std::size_t count = p.shift ? p.shift->size() : 0;
  if (count == 1 || (count > 1 && p.axis && p.axis->size() == count)) return {};
  return {{"shift",
           fmt::format("expected a number{}, got {}", p.axis ? ", or one for each axis" : "",
                       p.shift ? attr_detail::text_of(*p.shift) : "None"),
           ""}};
}

void infer_roll(const RollParam& p, InferContext& c) {
  infer_same(p, c);
  if (c.input_shape(0).known_rank() && p.axis) {
    different_axes(*p.axis, c.input_shape(0).rank(), "axis");
  }
}

// The end of the axis first, then its beginning.
Value rolled(Builder& b, Value x, std::int64_t axis, std::int64_t shift) {
  const Shape& shape = b.shape(x);
  const Dim& size = shape[static_cast<std::size_t>(axis)];
  if (shape.is_empty()) return x;
  if (size.is_constant()) {
    const std::int64_t by = ((shift % size.value()) + size.value()) % size.value();
    if (by == 0) return x;
    Shape head = shape;
    Shape tail = shape;
    tail[static_cast<std::size_t>(axis)] = by;
    head[static_cast<std::size_t>(axis)] = size.value() - by;
    const Value last = onnx::slice(b, x, {{axis, -by, onnx::kSliceEnd}}, tail);
    const Value first = onnx::slice(b, x, {{axis, 0, -by}}, head);
    return b.concat({last, first}, axis);
  }
  // Mod takes the sign of the divisor.
  const Value from = b.sub(counting(b, size), b.int_scalar(shift));
  return b.gather(x, b.binary("Mod", from, onnx::size_tensor(b, max(size, 1))), axis);
}

void translate_roll(const RollParam& p, Translation& t) {
  Builder& b = t.b;
  if (!p.axis) {
    const Value flat = onnx::reshape(b, t.input(0), Shape{t.input_shape(0).count()});
    return t.set_output(0,
                        onnx::reshape(b, rolled(b, flat, 0, p.shift->front()), t.output_shape(0)));
  }
  Value x = t.input(0);
  const auto axes = different_axes(*p.axis, t.input_rank(0), "axis");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    x = rolled(b, x, axes[i], p.shift->size() == 1 ? p.shift->front() : (*p.shift)[i]);
  }
  t.set_output(0, x);
}

struct Rot90Param {
  std::int64_t k = 1;
  std::optional<Tuple> axes;
  static void declare(AttrDeclarer<Rot90Param>& d) {
    d.field("k", &Rot90Param::k).help("quarters of a turn");
    d.field("axes", &Rot90Param::axes)
        .sizes(2, 2)
        .help("the plane, turned from the first to the second; needed");
  }
  std::int64_t quarters() const { return ((k % 4) + 4) % 4; }
};

std::vector<AttrProblem> check_rot90(const Rot90Param& p, const CheckContext& /*context*/) {
  if (p.axes) return {};
  return {{"axes", "expected a tuple of 2 integers, got None", ""}};
}

void infer_rot90(const Rot90Param& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& known = c.input_shape(0).known_rank() ? c.input_shape(0) : c.output_shape(0);
  if (!known.known_rank()) return;
  const auto axes = different_axes(*p.axes, known.rank(), "axes");
  const bool swaps = p.quarters() % 2 == 1;
  infer_permuted(c, swaps ? swap_perm(known.rank(), static_cast<std::size_t>(axes[0]),
                                      static_cast<std::size_t>(axes[1]))
                          : iota(known.rank()));
}

void translate_rot90(const Rot90Param& p, Translation& t) {
  Builder& b = t.b;
  const std::size_t rank = t.input_rank(0);
  const auto axes = different_axes(*p.axes, rank, "axes");
  const Perm swapped =
      swap_perm(rank, static_cast<std::size_t>(axes[0]), static_cast<std::size_t>(axes[1]));
  Value x = t.input(0);
  switch (p.quarters()) {
    case 1:
      x = b.transpose(turned_round(b, x, {axes[1]}), swapped);
      break;
    case 2:
      x = turned_round(b, x, axes);
      break;
    case 3:
      x = turned_round(b, b.transpose(x, swapped), {axes[1]});
      break;
    default:
      break;
  }
  t.set_output(0, x);
}

struct NpFlipParam {
  std::optional<Tuple> axis;
  static void declare(AttrDeclarer<NpFlipParam>& d) {
    d.field("axis", &NpFlipParam::axis).required().help("turned round; None: all axes");
  }

  // Twice is not at all.
  std::vector<std::int64_t> axes(std::size_t rank) const {
    if (!axis) return iota(rank);
    std::vector<bool> turned(rank);
    for (const auto each : *axis) {
      const std::size_t at = checked_axis(each, rank);
      turned[at] = !turned[at];
    }
    std::vector<std::int64_t> result;
    for (std::size_t i = 0; i < rank; ++i) {
      if (turned[i]) result.push_back(static_cast<std::int64_t>(i));
    }
    return result;
  }
};

void infer_np_flip(const NpFlipParam& p, InferContext& c) {
  infer_same(p, c);
  if (c.input_shape(0).known_rank()) p.axes(c.input_shape(0).rank());
}

void translate_np_flip(const NpFlipParam& p, Translation& t) {
  t.set_output(0, turned_round(t.b, t.input(0), p.axes(t.input_rank(0))));
}

struct AtLeastParam {
  std::int64_t num_args = 1;
  static void declare(AttrDeclarer<AtLeastParam>& d) {
    d.field("num_args", &AtLeastParam::num_args)
        .required()
        .at_least(1)
        .at_most(kMostPorts)
        .help("number of arrays");
  }
};

void infer_at_least(const AtLeastParam& p, InferContext& c, std::size_t rank) {
  check_num_inputs(c, "num_args", p.num_args);
  c.unify_dtypes();
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    if (c.input_shape(i).known_rank()) c.set_output_shape(i, with_rank(c.input_shape(i), rank));
  }
}

void translate_at_least(const AtLeastParam& /*p*/, Translation& t) {
  for (std::size_t i = 0; i < t.num_inputs(); ++i) {
    t.set_output(i, onnx::reshape(t.b, t.input(i), t.output_shape(i)));
  }
}

}  // namespace

void register_np_axes(Registry& r) {
  for (const char* name : {"_np_transpose", "_npi_transpose"}) {
    r.add<NpTransposeParam>({name})
        .summary("The axes in another order.")
        .inputs({{"a", InputRole::kData}})
        .infer(infer_by_permutation<NpTransposeParam>)
        .translate(translate_by_permutation<NpTransposeParam>);
  }
  for (const char* name : {"_np_moveaxis", "_npi_moveaxis"}) {
    r.add<MoveAxisParam>({name})
        .summary("Axes moved to other places.")
        .inputs({{"a", InputRole::kData}})
        .infer(infer_by_permutation<MoveAxisParam>)
        .translate(translate_by_permutation<MoveAxisParam>);
  }
  r.add<RollAxisParam>({"_npi_rollaxis"})
      .summary("An axis moved before another one.")
      .infer(infer_by_permutation<RollAxisParam>)
      .translate(translate_by_permutation<RollAxisParam>);
  for (const char* name : {"_np_roll", "_npi_roll"}) {
    r.add<RollParam>({name})
        .summary("The elements moved along axes; what leaves the end comes in at the start.")
        .infer(infer_roll)
        .translate(translate_roll)
        .check(check_roll);
  }
  r.add<Rot90Param>({"_npi_rot90"})
      .summary("Turned in a plane by quarters.")
      .infer(infer_rot90)
      .translate(translate_rot90)
      .check(check_rot90);
  r.add<NpFlipParam>({"_npi_flip"})
      .summary("Axes turned round.")
      .infer(infer_np_flip)
      .translate(translate_np_flip);
  for (const std::size_t rank : {1, 2, 3}) {
    for (const char* prefix : {"_np", "_npi"}) {
      r.add<AtLeastParam>({fmt::format("{}_atleast_{}d", prefix, rank)})
          .summary(fmt::format("Arrays with axes of size 1 until they have {} dimension{}.", rank,
                               rank == 1 ? "" : "s"))
          .variadic()
          .inputs({{"ary", InputRole::kData}})
          .outputs_by([](const AtLeastParam& p, std::size_t) {
            return p.num_args == 1 ? std::vector<std::string>{"output"}
                                   : numbered("output", p.num_args);
          })
          .infer([rank](const AtLeastParam& p, InferContext& c) { infer_at_least(p, c, rank); })
          .translate(translate_at_least);
    }
  }
}

}  // namespace mx2onnx
