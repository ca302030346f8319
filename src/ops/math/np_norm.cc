// NumPy's norms of vectors and matrices: _npi_norm (src/operator/numpy/linalg/np_norm-inl.h).
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/math/reductions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;
using reduction::reduce;

struct NumpyNormParam {
  double ord = 2;
  std::optional<Tuple> axis;
  bool keepdims = false;
  std::int64_t flag = -1;

  static void declare(AttrDeclarer<NumpyNormParam>& d) {
    d.field("ord", &NumpyNormParam::ord).help("the order; inf is the largest of the sums of rows");
    d.field("axis", &NumpyNormParam::axis)
        .sizes(1, 2)
        .help("one: norms of vectors; two: of matrices; None: the last two, or the only one");
    d.field("keepdims", &NumpyNormParam::keepdims).help("reduced axes stay, with size 1");
    d.field("flag", &NumpyNormParam::flag)
        .at_least(-2)
        .at_most(4)
        .help("-2: of all elements; 1: Frobenius; 2: nuclear; others: ord says it");
  }

  bool is_of_all() const { return flag == -2 && !axis; }
};

NumpyReduceAxes axes_of(const NumpyNormParam& p, std::size_t rank) {
  NumpyReduceAxes axes;
  axes.keepdims = p.keepdims;
  if (p.is_of_all()) return axes;
  if (p.axis) {
    axes.axis = p.axis;
  } else {
    if (rank == 0) fail(ErrorCode::kModel, "expected vectors or matrices, found a 0-d array");
    const auto last = static_cast<std::int64_t>(rank) - 1;
    axes.axis = rank == 1 ? Tuple{last} : Tuple{last - 1, last};
  }
  return axes;
}

void infer_norm(const NumpyNormParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (data.known_rank()) c.set_output_shape(0, axes_of(p, data.rank()).result(data));
}

Value frobenius(Builder& b, Value x, const ReduceAxes& axes) {
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) return reduction::reduce_bool(b, "ReduceMax", x, axes);
  if (b.shape(x).rank() == 0) return b.unary("Abs", x);
  return is_integer(dtype) ? reduction::norm_of_integers(b, x, axes)
                           : reduce(b, "ReduceL2", x, axes);
}

// Of any order, scaled by the largest magnitude as in MXNet, so that no power overflows. What is 0
// is left out, which matters to orders below 0.
Value of_order(Builder& b, Value x, const NumpyReduceAxes& axes, double order) {
  const auto number = [&](double value) { return b.scalar(b.dtype(x), value); };
  const Value magnitudes = b.unary("Abs", x);
  NumpyReduceAxes kept = axes;
  kept.keepdims = true;
  const Value largest = reduce(b, "ReduceMax", magnitudes, kept);
  const Value is_nothing = b.binary("Equal", largest, number(0));
  const Value scaled = b.div(magnitudes, b.where(is_nothing, number(1), largest));
  const Value is_zero = b.binary("Equal", magnitudes, number(0));
  const Value powers = b.where(is_zero, number(0), b.binary("Pow", scaled, number(order)));
  const Value sum = reduce(b, "ReduceSum", powers, kept);
  const Value root = b.where(is_nothing, number(0), b.binary("Pow", sum, number(1 / order)));
  return onnx::reshape(b, b.mul(largest, root), axes.result(b.shape(x)));
}

// Of floats.
Value vector_norm(Builder& b, Value x, const NumpyReduceAxes& axes, double order) {
  if (order == 2) return reduce(b, "ReduceL2", x, axes);
  if (order == 1) return reduce(b, "ReduceL1", x, axes);
  if (order != 0) return of_order(b, x, axes, order);
  const Value is_zero = b.binary("Equal", x, b.scalar(b.dtype(x), 0));
  return reduce(b, "ReduceSum", b.cast(b.unary("Not", is_zero), b.dtype(x)), axes);
}

// The largest or smallest sum of magnitudes of columns (order 1 or -1) or rows.
Value matrix_norm(Builder& b, Value x, const NumpyReduceAxes& axes, double order) {
  const std::size_t rank = b.shape(x).rank();
  const bool of_columns = std::abs(order) == 1;
  const std::size_t summed = checked_axis(axes.axis->at(of_columns ? 0 : 1), rank);
  const std::size_t other = checked_axis(axes.axis->at(of_columns ? 1 : 0), rank);
  const auto along = [](std::size_t axis) {
    NumpyReduceAxes one;
    one.axis = Tuple{static_cast<std::int64_t>(axis)};
    one.keepdims = true;
    return one;
  };
  const Value sums = reduce(b, "ReduceL1", x, along(summed));
  const Value extreme = reduce(b, order > 0 ? "ReduceMax" : "ReduceMin", sums, along(other));
  return onnx::reshape(b, extreme, axes.result(b.shape(x)));
}

// Why there is no translation; empty if there is one.
std::string reason_against(const NumpyNormParam& p, std::size_t num_axes, DType dtype) {
  if (p.is_of_all() || (num_axes == 2 && p.flag == 1)) return {};
  if (!is_floating(dtype)) {
    return fmt::format("MXNet's norm of this order of {} has no defined result", dtype_name(dtype));
  }
  if (num_axes == 1) {
    if (!std::isfinite(p.ord)) return "MXNet does not compute this order of vectors";
    return p.flag == 2 ? "MXNet does not compute the nuclear norm of vectors" : "";
  }
  if (p.flag == 2)
    return "the nuclear norm is the sum of singular values, which ONNX does not have";
  if (std::abs(p.ord) == 2) {
    return "this norm of matrices is a singular value, which ONNX does not have";
  }
  const bool is_known = std::abs(p.ord) == 1 || std::isinf(p.ord);
  return is_known ? "" : "MXNet does not compute this order of matrices";
}

void translate_norm(const NumpyNormParam& p, Translation& t) {
  Builder& b = t.b;
  const Value x = t.input(0);
  const DType dtype = b.dtype(x);
  if (t.input_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, dtype, 0, t.output_shape(0)));
  }
  const NumpyReduceAxes axes = axes_of(p, t.input_rank(0));
  const std::size_t num_axes = p.is_of_all() ? 0 : axes.axis->size();
  if (const auto reason = reason_against(p, num_axes, dtype); !reason.empty()) {
    return t.refuse(reason);
  }
  if (p.is_of_all() || (num_axes == 2 && p.flag == 1)) {
    return t.set_output(0, frobenius(b, x, axes));
  }
  const Value wide = dtype == DType::kFloat16 ? b.cast(x, DType::kFloat32) : x;
  const Value norm =
      num_axes == 1 ? vector_norm(b, wide, axes, p.ord) : matrix_norm(b, wide, axes, p.ord);
  t.set_output(0, b.cast(norm, dtype));
}

}  // namespace

void register_np_norm(Registry& r) {
  r.add<NumpyNormParam>({"_npi_norm"})
      .summary("Norms of vectors, of matrices or of all elements.")
      .infer(infer_norm)
      .translate(translate_norm)
      .note(std::string(kHalfSumNote))
      .note(
          "Of order 2 of float32 beyond 1e19, or of float64 beyond 1e154, ONNX's result is "
          "infinite, MXNet's is not.");
}

}  // namespace mx2onnx
