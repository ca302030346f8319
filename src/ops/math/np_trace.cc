// NumPy's trace: sums of diagonals (src/operator/numpy/np_trace_op-inl.h).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct TraceParam {
  std::int64_t offset = 0;
  std::int64_t axis1 = 0;
  std::int64_t axis2 = 1;
  static void declare(AttrDeclarer<TraceParam>& d) {
    d.field("offset", &TraceParam::offset).help("which diagonal; above 0: above the main one");
    d.field("axis1", &TraceParam::axis1).help("the axis of the rows");
    d.field("axis2", &TraceParam::axis2).help("the axis of the columns");
  }
};

NumpyReduceAxes axes_of(const TraceParam& p, std::size_t rank) {
  const std::size_t rows = checked_axis(p.axis1, rank, "axis1");
  const std::size_t columns = checked_axis(p.axis2, rank, "axis2");
  if (rows == columns) fail(ErrorCode::kModel, "axis1 and axis2 are the same axis");
  NumpyReduceAxes axes;
  axes.axis = Tuple{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
  return axes;
}

void infer_trace(const TraceParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() < 2) c.fail_input(0, "at least 2 dimensions");
  c.set_output_shape(0, axes_of(p, data.rank()).result(data));
}

// The positions along an axis, so that they broadcast with the array.
Value positions(Builder& b, const Shape& data, std::size_t axis) {
  return along_axis(b, counting(b, data[axis]), axis, data.rank());
}

void translate_trace(const TraceParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const Shape& data = b.shape(x);
  const NumpyReduceAxes axes = axes_of(p, data.rank());
  const Value rows = positions(b, data, static_cast<std::size_t>(axes.axis->at(0)));
  const Value columns = positions(b, data, static_cast<std::size_t>(axes.axis->at(1)));
  const Value is_on = b.binary("Equal", b.sub(columns, rows), b.int_scalar(p.offset));
  const DType computing = is_integer(dtype) ? DType::kInt64 : dtype;
  const Value wide = b.cast(x, computing);
  const Value diagonal = b.where(is_on, wide, b.scalar(computing, 0));
  t.set_output(0, b.cast(reduction::sum(b, diagonal, axes), dtype));
}

}  // namespace

void register_np_trace(Registry& r) {
  for (const std::string name : {"_np_trace", "_npi_trace"}) {
    r.add<TraceParam>({name})
        .summary("The sums of the diagonals of two axes.")
        .infer(infer_trace)
        .translate(translate_trace)
        .note(
            "Of float16 MXNet rounds after each element; here it is rounded once, and the sum of a "
            "long diagonal may differ in its last digits.");
  }
}

}  // namespace mx2onnx
