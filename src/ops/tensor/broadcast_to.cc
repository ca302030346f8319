// What only broadcasts: broadcast_to, broadcast_axis and broadcast_like
// (src/operator/tensor/broadcast_reduce_op_value.cc).
#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/broadcasting.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

struct BroadcastToParam {
  Tuple shape;

  static void declare(AttrDeclarer<BroadcastToParam>& d) {
    d.field("shape", &BroadcastToParam::shape).at_least(0).help("of the result; 0 keeps a size");
  }
};

void infer_broadcast_to(const BroadcastToParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() != p.shape.size()) {
    c.fail_input(0, fmt::format("{} dimensions as in shape", p.shape.size()));
  }
  Shape result = data;
  for (std::size_t i = 0; i < data.rank(); ++i) {
    if (p.shape[i] == 0) continue;
    if (clash(data[i], p.shape[i])) {
      c.fail_input(0, fmt::format("a shape that broadcasts to {}", Shape::of(p.shape).to_string()));
    }
    result[i] = p.shape[i];
  }
  c.set_output_shape(0, result);
}

struct NpBroadcastToParam {
  Tuple shape;

  static void declare(AttrDeclarer<NpBroadcastToParam>& d) {
    d.field("shape", &NpBroadcastToParam::shape)
        .at_least(-2)
        .help("of the result; -2 keeps a size");
  }
};

void infer_np_broadcast_to(const NpBroadcastToParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const auto fail_shape = [&] {
    c.fail_input(0, fmt::format("a shape that broadcasts to {}", attr_detail::text_of(p.shape)));
  };
  if (data.rank() > p.shape.size()) fail_shape();
  const std::size_t added = p.shape.size() - data.rank();
  std::vector<Dim> result;
  for (std::size_t i = 0; i < p.shape.size(); ++i) {
    const std::int64_t size = p.shape[i];
    const bool kept = size == -2 && i >= added;
    if (size < 0 && !kept) fail_shape();
    if (!kept && i >= added && clash(data[i - added], size)) fail_shape();
    result.push_back(kept ? data[i - added] : Dim(size));
  }
  c.set_output_shape(0, Shape(std::move(result)));
}

struct BroadcastAxisParam {
  Tuple axis;
  Tuple size;

  static void declare(AttrDeclarer<BroadcastAxisParam>& d) {
    d.field("axis", &BroadcastAxisParam::axis).at_least(0).help("axes of size 1, each once");
    d.field("size", &BroadcastAxisParam::size).at_least(0).help("their sizes in the result");
  }
};

std::vector<AttrProblem> check_broadcast_axis(const BroadcastAxisParam& p,
                                              const CheckContext& /*context*/) {
  if (std::set<std::int64_t>(p.axis.begin(), p.axis.end()).size() != p.axis.size()) {
    return {{"axis", "names an axis twice", ""}};
  }
  if (p.axis.size() == p.size.size()) return {};
  return {{"size",
           fmt::format("expected {} elements as in axis, got {}", p.axis.size(), p.size.size()),
           ""}};
}

void infer_broadcast_axis(const BroadcastAxisParam& p, InferContext& c) {
  c.unify_dtypes();
  if (!c.input_shape(0).known_rank()) return;
  const std::size_t rank = c.input_shape(0).rank();
  Shape broadcast = Shape::unknown_dims(rank);
  for (const auto axis : p.axis) broadcast[checked_axis(axis, rank)] = 1;
  c.set_input_shape(0, broadcast);
  Shape result = c.input_shape(0);
  for (std::size_t i = 0; i < p.axis.size(); ++i) {
    result[static_cast<std::size_t>(p.axis[i])] = p.size[i];
  }
  c.set_output_shape(0, result);
}

template <typename P>
void translate_expand(const P& /*p*/, Translation& t) {
  t.set_output(0, onnx::expand(t.b, t.input(0), t.output_shape(0)));
}

struct BroadcastLikeParam {
  std::optional<Tuple> lhs_axes;
  std::optional<Tuple> rhs_axes;

  static void declare(AttrDeclarer<BroadcastLikeParam>& d) {
    d.field("lhs_axes", &BroadcastLikeParam::lhs_axes).sizes(0, 32).help("axes of size 1 of lhs");
    d.field("rhs_axes", &BroadcastLikeParam::rhs_axes)
        .sizes(0, 32)
        .help("axes of rhs whose sizes they take; all axes unless both are given");
  }

  bool whole() const { return !lhs_axes || !rhs_axes; }
};

std::vector<AttrProblem> check_broadcast_like(const BroadcastLikeParam& p,
                                              const CheckContext& /*context*/) {
  if (p.whole()) return {};
  if (p.lhs_axes->empty() && p.rhs_axes->empty()) {
    return {{"lhs_axes", "expected at least one axis", ""}};
  }
  if (p.lhs_axes->size() == p.rhs_axes->size()) return {};
  return {{"rhs_axes",
           fmt::format("expected {} elements as in lhs_axes, got {}", p.lhs_axes->size(),
                       p.rhs_axes->size()),
           ""}};
}

void infer_broadcast_like(const BroadcastLikeParam& p, InferContext& c) {
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_input_dtype(0, c.output(0).dtype);
  const Shape& lhs = c.input_shape(0);
  const Shape& rhs = c.input_shape(1);
  if (!lhs.known_rank() || !rhs.known_rank()) return;
  if (!p.whole()) {
    Shape broadcast = Shape::unknown_dims(lhs.rank());
    for (const auto axis : *p.lhs_axes) broadcast[checked_axis(axis, lhs.rank(), "lhs_axes")] = 1;
    c.set_input_shape(0, broadcast);
    Shape result = lhs;
    for (std::size_t i = 0; i < p.lhs_axes->size(); ++i) {
      const std::size_t from = checked_axis((*p.rhs_axes)[i], rhs.rank(), "rhs_axes");
      result[checked_axis((*p.lhs_axes)[i], lhs.rank(), "lhs_axes")] = rhs[from];
    }
    return c.set_output_shape(0, result);
  }
  if (lhs.rank() != rhs.rank() || !may_broadcast_to(lhs, rhs))
    c.fail_input(0, fmt::format("a shape that broadcasts to {}", rhs.to_string()));
  Shape result = rhs;
  for (std::size_t i = 0; i < lhs.rank(); ++i) {
    // Only 1 is broadcast.
    if (!rhs[i].known() && lhs[i].is_constant() && !(lhs[i] == Dim(1))) result[i] = lhs[i];
  }
  c.set_output_shape(0, result);
}

void translate_broadcast_like(const BroadcastLikeParam& p, Translation& t) {
  // The shape of rhs as it is, where that would otherwise be put together from its sizes.
  if (p.whole() && !t.output_shape(0).is_static()) {
    const onnx::Value shape = onnx::shape_slice(t.b, t.input(1), 0, t.input_rank(1));
    return t.set_output(0, t.b.emit("Expand", {t.input(0), shape}, {}, t.output_type(0)));
  }
  t.set_output(0, onnx::expand(t.b, t.input(0), t.output_shape(0)));
}

}  // namespace

void register_broadcast_to(Registry& r) {
  r.add<BroadcastToParam>({"broadcast_to"})
      .summary("Broadcasts an array to a shape of as many dimensions.")
      .infer(infer_broadcast_to)
      .translate(translate_expand<BroadcastToParam>);
  r.add<NpBroadcastToParam>({"_npi_broadcast_to"})
      .summary("Broadcasts an array to a shape of as many dimensions or more.")
      .inputs({{"array", InputRole::kData}})
      .infer(infer_np_broadcast_to)
      .translate(translate_expand<NpBroadcastToParam>);
  r.add<BroadcastAxisParam>({"broadcast_axis", "broadcast_axes"})
      .summary("Broadcasts axes of size 1 to other sizes.")
      .infer(infer_broadcast_axis)
      .translate(translate_expand<BroadcastAxisParam>)
      .check(check_broadcast_axis);
  r.add<BroadcastLikeParam>({"broadcast_like", "_npx_broadcast_like"})
      .summary("Broadcasts lhs to the shape, or to some sizes, of rhs.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_broadcast_like)
      .translate(translate_broadcast_like)
      .check(check_broadcast_like);
}

}  // namespace mx2onnx
