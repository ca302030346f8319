// Operators that add, drop, reorder and turn round axes, and the exchange of channels for space
// (src/operator/tensor/matrix_op-inl.h).
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/tensor/axes.h"

namespace mx2onnx {
namespace {

struct ExpandDimsParam {
  std::int64_t axis = 0;
  static void declare(AttrDeclarer<ExpandDimsParam>& d) {
    d.field("axis", &ExpandDimsParam::axis).required().help("of the result");
  }
};

void infer_expand_dims(const ExpandDimsParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape from = c.input_shape(0);
  const Shape to = c.output_shape(0);
  if (!from.known_rank() && !to.known_rank()) return;
  const std::size_t rank = from.known_rank() ? from.rank() + 1 : to.rank();
  const std::size_t axis = checked_axis(p.axis, rank);
  std::vector<Dim> before =
      to.known_rank() && to.rank() == rank ? to.dims() : std::vector<Dim>(rank);
  before.erase(before.begin() + static_cast<std::ptrdiff_t>(axis));
  c.set_input_shape(0, Shape(before));
  std::vector<Dim> after = c.input_shape(0).dims();
  after.insert(after.begin() + static_cast<std::ptrdiff_t>(axis), Dim(1));
  c.set_output_shape(0, Shape(after));
}

void translate_expand_dims(const ExpandDimsParam& p, Translation& t) {
  t.set_output(0, onnx::unsqueeze(t.b, t.input(0), {p.axis}));
}

struct SqueezeParam {
  std::optional<Tuple> axis;
  static void declare(AttrDeclarer<SqueezeParam>& d) {
    d.field("axis", &SqueezeParam::axis).help("None: every axis of size 1");
  }
};

// What becomes of an array of one element: the legacy operator keeps its first axis, in either
// shape semantics; NumPy's has no dimensions then, and takes axis 0 of an array without any.
enum class OneElement { kKeepsAxis, kLosesAll };

// The axes that go, in order.
std::vector<std::int64_t> squeezed_axes(const SqueezeParam& p, const Shape& from, OneElement one) {
  std::vector<bool> goes(from.rank());
  for (std::size_t i = 0; i < from.rank(); ++i) goes[i] = !p.axis && from[i] == Dim(1);
  for (const std::int64_t given : p.axis.value_or(Tuple{})) {
    const bool is_scalar = from.rank() == 0 && one == OneElement::kLosesAll;
    const std::size_t axis = checked_axis(given, is_scalar ? 1 : from.rank());
    if (is_scalar) continue;
    if (goes[axis] && one == OneElement::kKeepsAxis)
      fail(ErrorCode::kModel, fmt::format("axis {} is named twice", axis));
    goes[axis] = true;
  }
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    if (goes[i]) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (one == OneElement::kKeepsAxis && !axes.empty() && axes.size() == from.rank()) {
    axes.erase(axes.begin());
  }
  return axes;
}

void infer_squeeze(const SqueezeParam& p, InferContext& c, OneElement one) {
  c.unify_dtypes();
  const Shape from = c.input_shape(0);
  if (!from.known_rank()) return;
  if (!p.axis && !from.known()) return;
  const auto axes = squeezed_axes(p, from, one);
  if (p.axis && from.rank() > 0) {
    Shape ones = Shape::unknown_dims(from.rank());
    for (const std::int64_t axis : *p.axis) ones[checked_axis(axis, from.rank())] = 1;
    c.set_input_shape(0, ones);
  }
  std::vector<Dim> to;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    const bool goes =
        std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) != axes.end();
    if (!goes) to.push_back(c.input_shape(0)[i]);
  }
  c.set_output_shape(0, Shape(to));
  if (const auto* value = c.input_value(0)) c.set_output_value(0, *value);
}

void translate_squeeze(const SqueezeParam& p, Translation& t, OneElement one) {
  const Shape& from = t.input_shape(0);
  if (!p.axis && !from.is_static()) {
    t.warn(
        "W-free-size-not-one",
        fmt::format("squeeze without `axis` of an input of shape {}: free sizes are taken not to "
                    "be 1",
                    from.to_string()));
  }
  const auto axes = squeezed_axes(p, from, one);
  t.set_output(0, axes.empty() ? t.input(0) : onnx::squeeze(t.b, t.input(0), axes));
}

struct TransposeParam {
  Tuple axes;
  static void declare(AttrDeclarer<TransposeParam>& d) {
    d.field("axes", &TransposeParam::axes).at_least(0).help("empty: all axes in reverse order");
  }
};

// MXNet takes axes that are named more than once.
bool has_repeated_axes(const TransposeParam& p, std::size_t rank) {
  const std::vector<std::int64_t> order = iota(rank);
  const auto size = static_cast<std::int64_t>(rank);
  return p.axes.size() == rank &&
         std::all_of(p.axes.begin(), p.axes.end(), [&](auto axis) { return axis < size; }) &&
         !std::is_permutation(order.begin(), order.end(), p.axes.begin(), p.axes.end());
}

// Fails unless the axes are a permutation of `rank` axes.
std::vector<std::int64_t> permutation(const TransposeParam& p, std::size_t rank) {
  std::vector<std::int64_t> order = iota(rank);
  if (p.axes.empty()) {
    std::reverse(order.begin(), order.end());
    return order;
  }
  if (!std::is_permutation(order.begin(), order.end(), p.axes.begin(), p.axes.end())) {
    const ErrorScope scope = ErrorScope::attribute("axes");
    fail(ErrorCode::kModel,
         fmt::format("expected an order of {} axes, got {}", rank, attr_detail::text_of(p.axes)));
  }
  return p.axes;
}

void infer_transpose(const TransposeParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& known = c.input_shape(0).known_rank() ? c.input_shape(0) : c.output_shape(0);
  if (!known.known_rank()) return;
  if (!has_repeated_axes(p, known.rank())) return infer_permuted(c, permutation(p, known.rank()));
  Shape to = Shape::unknown_dims(known.rank());
  for (std::size_t i = 0; i < to.rank() && c.input_shape(0).known_rank(); ++i) {
    to[i] = c.input_shape(0)[static_cast<std::size_t>(p.axes[i])];
  }
  c.set_output_shape(0, to);
}

void translate_transpose(const TransposeParam& p, Translation& t) {
  if (has_repeated_axes(p, t.input_rank(0))) {
    return t.refuse(
        fmt::format("MXNet reads beside the array, or leaves its result unwritten, for an axis "
                    "named twice in {}",
                    attr_detail::text_of(p.axes)));
  }
  const auto perm = permutation(p, t.input_rank(0));
  t.set_output(0, t.b.transpose(t.input(0), perm));
}

struct SwapAxisParam {
  std::int64_t dim1 = 0;
  std::int64_t dim2 = 0;
  static void declare(AttrDeclarer<SwapAxisParam>& d) {
    d.field("dim1", &SwapAxisParam::dim1).help("the one axis");
    d.field("dim2", &SwapAxisParam::dim2).help("the other axis");
  }
};

std::vector<std::int64_t> permutation(const SwapAxisParam& p, std::size_t rank) {
  return swap_perm(rank, checked_axis(p.dim1, rank, "dim1"), checked_axis(p.dim2, rank, "dim2"));
}

void infer_swap_axis(const SwapAxisParam& p, InferContext& c) {
  c.unify_dtypes();
  if (c.input_shape(0).known_rank()) infer_permuted(c, permutation(p, c.input_shape(0).rank()));
}

void translate_swap_axis(const SwapAxisParam& p, Translation& t) {
  const auto perm = permutation(p, t.input_rank(0));
  t.set_output(0, t.b.transpose(t.input(0), perm));
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
  std::vector<std::int64_t> axes;
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(t.input_rank(0)); ++axis) {
    if (std::count(p.axis.begin(), p.axis.end(), axis) % 2 == 1) axes.push_back(axis);
  }
  t.set_output(0, turned_round(t.b, t.input(0), axes));
}

struct BlockParam {
  std::int64_t block_size = 1;
  static void declare(AttrDeclarer<BlockParam>& d) {
    d.field("block_size", &BlockParam::block_size)
        .required()
        .at_least(1)
        .at_most(1 << 15)
        .help("height and width of a block");
  }
};

// `dim` divided by a number that must divide it.
Dim exact_quotient(InferContext& c, const Shape& shape, std::size_t axis, std::int64_t divisor) {
  const Dim& dim = shape[axis];
  if (dim.is_constant() && dim.value() % divisor != 0) {
    c.fail_input(0, fmt::format("a multiple of {} along axis {}", divisor, axis));
  }
  return floor_div(dim, divisor);
}

void infer_depth_to_space(const BlockParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(4));
  const Shape from = c.input_shape(0);
  c.set_output_shape(0, {from[0], exact_quotient(c, from, 1, p.block_size * p.block_size),
                         from[2] * p.block_size, from[3] * p.block_size});
}

void infer_space_to_depth(const BlockParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(4));
  const Shape from = c.input_shape(0);
  c.set_output_shape(
      0, {from[0], from[1] * p.block_size * p.block_size, exact_quotient(c, from, 2, p.block_size),
          exact_quotient(c, from, 3, p.block_size)});
}

// ONNX Runtime has no kernels of DepthToSpace and SpaceToDepth for some types.
bool has_block_kernel(DType dtype) {
  return dtype != DType::kInt32 && dtype != DType::kInt64 && dtype != DType::kBool;
}

void translate_depth_to_space(const BlockParam& p, Translation& t) {
  if (has_block_kernel(t.output_type(0).dtype)) {
    t.set_output(0, t.b.emit("DepthToSpace", {t.input(0)},
                             {{"blocksize", p.block_size}, {"mode", "DCR"}}, t.output_type(0)));
    return;
  }
  const Shape& from = t.input_shape(0);
  const Dim block = p.block_size;
  const Shape blocks{from[0], block, block, t.output_shape(0)[1], from[2], from[3]};
  const auto moved = t.b.transpose(onnx::reshape(t.b, t.input(0), blocks), {0, 3, 4, 1, 5, 2});
  t.set_output(0, onnx::reshape(t.b, moved, t.output_shape(0)));
}

void translate_space_to_depth(const BlockParam& p, Translation& t) {
  if (has_block_kernel(t.output_type(0).dtype)) {
    t.set_output(
        0, t.b.emit("SpaceToDepth", {t.input(0)}, {{"blocksize", p.block_size}}, t.output_type(0)));
    return;
  }
  const Shape& from = t.input_shape(0);
  const Shape& to = t.output_shape(0);
  const Dim block = p.block_size;
  const Shape blocks{from[0], from[1], to[2], block, to[3], block};
  const auto moved = t.b.transpose(onnx::reshape(t.b, t.input(0), blocks), {0, 3, 5, 1, 2, 4});
  t.set_output(0, onnx::reshape(t.b, moved, to));
}

}  // namespace

void infer_permuted(InferContext& c, const std::vector<std::int64_t>& perm) {
  const Shape from = c.input_shape(0);
  const Shape to = c.output_shape(0);
  Shape before = Shape::unknown_dims(perm.size());
  Shape after = before;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    const auto source = static_cast<std::size_t>(perm[i]);
    if (from.rank() == perm.size()) after[i] = from[source];
    if (to.rank() == perm.size()) before[source] = to[i];
  }
  c.set_input_shape(0, before);
  c.set_output_shape(0, after);
}

onnx::Value turned_round(onnx::Builder& b, onnx::Value x, const std::vector<std::int64_t>& axes) {
  if (axes.empty()) return x;
  std::vector<onnx::SliceRange> ranges;
  for (const auto axis : axes) ranges.push_back({axis, onnx::kSliceEnd, onnx::kSliceBegin, -1});
  return onnx::slice(b, x, ranges, b.shape(x));
}

void register_axes(Registry& r) {
  r.add<ExpandDimsParam>({"expand_dims", "_npi_expand_dims"})
      .summary("A new axis of size 1.")
      .infer(infer_expand_dims)
      .translate(translate_expand_dims);
  const std::vector<std::tuple<const char*, const char*, OneElement>> squeezes = {
      {"squeeze", "data", OneElement::kKeepsAxis},
      {"_np_squeeze", "a", OneElement::kLosesAll},
      {"_npi_squeeze", "a", OneElement::kLosesAll}};
  for (const auto& [name, input, one] : squeezes) {
    r.add<SqueezeParam>({name})
        .summary("Without axes of size 1.")
        .inputs({{input, InputRole::kData}})
        .infer([one = one](const SqueezeParam& p, InferContext& c) { infer_squeeze(p, c, one); })
        .translate(
            [one = one](const SqueezeParam& p, Translation& t) { translate_squeeze(p, t, one); })
        .note("Without `axis`, free sizes are taken not to be 1 (with a warning).");
  }
  r.add<TransposeParam>({"transpose"})
      .summary("The axes in another order.")
      .infer(infer_transpose)
      .translate(translate_transpose);
  r.add<SwapAxisParam>({"SwapAxis", "swapaxes", "_npi_swapaxes"})
      .summary("Two axes exchanged.")
      .infer(infer_swap_axis)
      .translate(translate_swap_axis);
  r.add<ReverseParam>({"reverse", "flip"})
      .summary("Axes turned round.")
      .infer(infer_reverse)
      .translate(translate_reverse);
  r.add<BlockParam>({"depth_to_space"})
      .summary("Channels become blocks of space.")
      .infer(infer_depth_to_space)
      .translate(translate_depth_to_space);
  r.add<BlockParam>({"space_to_depth"})
      .summary("Blocks of space become channels.")
      .infer(infer_space_to_depth)
      .translate(translate_space_to_depth);
}

}  // namespace mx2onnx
