// Positions of extrema: argmax, argmin, argmax_channel
// (src/operator/tensor/broadcast_reduce_op_index.cc), and NumPy's
// (src/operator/numpy/np_broadcast_reduce_op_index.cc).
#include <fmt/format.h>

#include <limits>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr std::string_view kNanPositionNote =
    "Where elements are NaN MXNet gives the position of the first NaN; ONNX Runtime does only "
    "where that is the first element.";

struct ArgParam {
  std::optional<std::int64_t> axis;
  bool keepdims = false;

  static void declare(AttrDeclarer<ArgParam>& d) {
    d.field("axis", &ArgParam::axis).help("None: over all elements, in row-major order");
    d.field("keepdims", &ArgParam::keepdims).help("the axis stays, with size 1");
  }
};

ReduceAxes axes_of(const ArgParam& p) {
  ReduceAxes axes{.keepdims = p.keepdims};
  if (p.axis) axes.axis = Tuple{*p.axis};
  return axes;
}

void infer_arg(const ArgParam& p, InferContext& c) {
  c.unify_dtypes();
  if (c.input_shape(0).known_rank()) c.set_output_shape(0, axes_of(p).result(c.input_shape(0)));
}

// MXNet gives positions in the dtype of the input.
void translate_arg(std::string_view op_type, const ArgParam& p, Translation& t) {
  Builder& b = t.b;
  Value x = t.input(0);
  if (b.dtype(x) == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const std::size_t rank = b.shape(x).rank();
  Value position;
  if (p.axis && rank > 1) {
    position = onnx::arg_reduce(b, op_type, x, *p.axis, p.keepdims);
  } else {
    const Value flat = onnx::reshape(b, x, Shape{b.shape(x).count()});
    position = onnx::reshape(b, onnx::arg_reduce(b, op_type, flat, 0, true), t.output_shape(0));
  }
  t.set_output(0, b.cast(position, t.output_type(0).dtype));
}

// NumPy's.

ReduceAxes numpy_axes_of(const ArgParam& p) {
  ReduceAxes axes = axes_of(p);
  axes.is_numpy = true;
  return axes;
}

void infer_numpy_arg(const ArgParam& p, InferContext& c) {
  c.set_output_dtype(0, DType::kInt64);
  const Shape& data = c.input_shape(0);
  if (data.known_rank()) c.set_output_shape(0, numpy_axes_of(p).result(data));
}

Value numpy_position(std::string_view op_type, Value x, const ArgParam& p, Translation& t) {
  Builder& b = t.b;
  if (p.axis && b.shape(x).rank() > 0) {
    return onnx::arg_reduce(b, op_type, x, *p.axis, p.keepdims);
  }
  const Value flat = onnx::reshape(b, x, Shape{b.shape(x).count()});
  return onnx::reshape(b, onnx::arg_reduce(b, op_type, flat, 0, true), t.output_shape(0));
}

// MXNet passes over NaN; of nothing else it gives the first position.
void translate_numpy_arg(std::string_view op_type, const ArgParam& p, Translation& t) {
  Builder& b = t.b;
  Value x = t.input(0);
  if (b.dtype(x) == DType::kBool) x = b.cast(x, DType::kInt32);
  if (is_floating(b.dtype(x))) {
    const double infinity = std::numeric_limits<double>::infinity();
    const double least = op_type == "ArgMax" ? -infinity : infinity;
    x = b.where(b.unary("IsNaN", x), b.scalar(b.dtype(x), least), x);
  }
  t.set_output(0, numpy_position(op_type, x, p, t));
}

// Until 2.0 positions came in the array's type first, which does not hold those of long axes.
void translate_narrow_arg(std::string_view op_type, const ArgParam& p, Translation& t) {
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const Value position = numpy_position(op_type, t.input(0), p, t);
  const bool is_narrow = dtype_size(dtype) <= 2;
  t.set_output(0, is_narrow ? t.b.cast(t.b.cast(position, dtype), DType::kInt64) : position);
}

void infer_argmax_channel(const NoParam& /*p*/, InferContext& c) { infer_arg({.axis = 1}, c); }

}  // namespace

void register_argmax(Registry& r) {
  for (const std::string op_type : {"ArgMax", "ArgMin"}) {
    const bool is_max = op_type == "ArgMax";
    r.add<ArgParam>({is_max ? "argmax" : "argmin"})
        .summary(fmt::format("The position of the {} element along an axis, the first of equals.",
                             is_max ? "largest" : "smallest"))
        .infer(infer_arg)
        .translate([op_type](const ArgParam& p, Translation& t) { translate_arg(op_type, p, t); })
        .note(std::string(kNanPositionNote));
  }
  for (const std::string op_type : {"ArgMax", "ArgMin"}) {
    const bool is_max = op_type == "ArgMax";
    r.add<ArgParam>({is_max ? "_npi_argmax" : "_npi_argmin"})
        .summary(fmt::format("The position of the {} element along an axis, the first of equals.",
                             is_max ? "largest" : "smallest"))
        .infer(infer_numpy_arg)
        .translate(
            [op_type](const ArgParam& p, Translation& t) { translate_numpy_arg(op_type, p, t); })
        .variant(OriginRange::until(1, 9), "positions come in the array's type first",
                 [op_type](auto& variant) {
                   variant.notes({std::string(kNanPositionNote)})
                       .translate([op_type](const ArgParam& p, Translation& t) {
                         translate_narrow_arg(op_type, p, t);
                       });
                 });
  }
  r.add<NoParam>({"argmax_channel"})
      .summary("The position of the largest element along axis 1.")
      .infer(infer_argmax_channel)
      .translate([](const NoParam&, Translation& t) { translate_arg("ArgMax", {.axis = 1}, t); })
      .note(std::string(kNanPositionNote));
}

}  // namespace mx2onnx
