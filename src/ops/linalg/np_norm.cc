// _npi_norm: norms of vectors and matrices (src/operator/numpy/linalg/np_norm.cc).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/linalg/contraction.h"
#include "ops/linalg/jacobi.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;

struct NpNormParam {
  double ord = 2;
  std::optional<Tuple> axis;
  bool keepdims = false;
  std::int64_t flag = -1;

  // What the flags of MXNet's front end say.
  static constexpr std::int64_t kOfAllElements = -2;
  static constexpr std::int64_t kFrobenius = 1;
  static constexpr std::int64_t kNuclear = 2;

  static void declare(AttrDeclarer<NpNormParam>& d) {
    d.field("ord", &NpNormParam::ord).help("order of the norm; may be infinite");
    d.field("axis", &NpNormParam::axis)
        .sizes(0, 2)
        .help("one axis of vectors or two of matrices; None is the last two, or the only one");
    d.field("keepdims", &NpNormParam::keepdims).help("reduced axes stay, with size 1");
    d.field("flag", &NpNormParam::flag)
        .at_least(-2)
        .at_most(4)
        .help("-2: of all elements; 1: Frobenius; 2: nuclear, the sum of the singular values");
  }

  bool sums_columns_or_rows() const {
    return flag != kFrobenius && flag != kNuclear && (std::abs(ord) == 1 || std::isinf(ord));
  }

  bool is_of_all() const { return !axis && flag == kOfAllElements; }

  std::vector<std::size_t> axes(std::size_t rank) const {
    if (is_of_all()) {
      const auto all = iota(rank);
      return {all.begin(), all.end()};
    }
    if (axis) {
      std::vector<std::size_t> result;
      for (const auto a : *axis) result.push_back(checked_axis(a, rank));
      if (result.size() == 2 && result[0] == result[1]) {
        fail(ErrorCode::kModel, "attribute 'axis': names an axis twice");
      }
      return result;
    }
    if (rank >= 2) return {rank - 2, rank - 1};
    return std::vector<std::size_t>(rank, 0);
  }
};

void infer_np_norm(const NpNormParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (p.is_of_all() && !p.keepdims) c.set_output_shape(0, Shape(std::vector<Dim>{}));
  if (!data.known_rank()) return;
  const auto axes = p.axes(data.rank());
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < data.rank(); ++i) {
    const bool is_reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!is_reduced) dims.push_back(data[i]);
    if (is_reduced && p.keepdims) dims.emplace_back(1);
  }
  c.set_output_shape(0, Shape(std::move(dims)));
}

Ints as_ints(const std::vector<std::size_t>& axes) { return {axes.begin(), axes.end()}; }

// (sum |x|^ord)^(1 / ord), of which elements that are 0 have no part. Other orders than 1 and 2 are
// scaled by the largest magnitude as in MXNet, so that no power overflows.
Value vector_norm(Builder& b, Value x, double ord, const Ints& axes) {
  if (ord == 1) return onnx::reduce(b, "ReduceL1", x, axes, true);
  if (ord == 2) return onnx::reduce(b, "ReduceL2", x, axes, true);
  const auto number = [&](double value) { return b.scalar(b.dtype(x), value); };
  const Value magnitudes = b.unary("Abs", x);
  const Value is_zero = b.binary("Equal", magnitudes, number(0));
  if (ord == 0) {
    return onnx::reduce(b, "ReduceSum", b.where(is_zero, number(0), number(1)), axes, true);
  }
  Value largest = onnx::reduce(b, "ReduceMax", magnitudes, axes, true);
  // Of no elements it is -inf, if a free size turns out to be 0.
  if (!b.shape(x).is_static()) largest = b.binary("Max", largest, number(0));
  const Value is_nothing = b.binary("Equal", largest, number(0));
  const Value scaled = b.div(magnitudes, b.where(is_nothing, number(1), largest));
  const Value powers = b.where(is_zero, number(0), b.binary("Pow", scaled, number(ord)));
  const Value sum = onnx::reduce(b, "ReduceSum", powers, axes, true);
  const Value root = b.where(is_nothing, number(0), b.binary("Pow", sum, number(1 / ord)));
  return b.mul(largest, root);
}

// Sums of magnitudes of the columns or rows, of which the largest or the least is taken.
Value sums_norm(Builder& b, Value x, double ord, const std::vector<std::size_t>& axes,
                DType sums_as) {
  const bool of_columns = std::abs(ord) == 1;
  const Ints summed{static_cast<std::int64_t>(axes[of_columns ? 0 : 1])};
  const Ints left{static_cast<std::int64_t>(axes[of_columns ? 1 : 0])};
  const Value sums = onnx::reduce(b, "ReduceL1", x, summed, true);
  return onnx::reduce(b, ord > 0 ? "ReduceMax" : "ReduceMin", b.cast(sums, sums_as), left, true);
}

// Of singular values the sum, the largest or the least; with a last axis of size 1.
Value spectral_norm(Builder& b, Value x, const NpNormParam& p,
                    const std::vector<std::size_t>& axes) {
  const std::size_t rank = b.shape(x).rank();
  auto perm = as_ints(other_axes(rank, axes));
  for (const std::size_t axis : axes) perm.push_back(static_cast<std::int64_t>(axis));
  Value matrices = b.transpose(b.cast(x, DType::kFloat64), perm);
  const Dim rows = b.shape(matrices)[rank - 2];
  const Dim columns = b.shape(matrices)[rank - 1];
  const Dim count = min(rows, columns);
  if (!certainly_at_least(columns, rows))
    matrices = b.transpose(matrices, swap_perm(rank, rank - 2, rank - 1));
  const Value values = singular_values(b, matrices).values;
  if (p.flag == NpNormParam::kNuclear) return onnx::reduce(b, "ReduceSum", values, {-1}, true);
  if (p.ord > 0) {
    // Of no values 0, where ONNX has -inf.
    return b.binary("Max", onnx::reduce(b, "ReduceMax", values, {-1}, true),
                    b.scalar(DType::kFloat64, 0));
  }
  // Behind them are zeros, where it was not known which side is the shorter one.
  Shape shape = b.shape(values);
  const auto last = static_cast<std::int64_t>(shape.rank()) - 1;
  shape[shape.rank() - 1] = count;
  const Value first = onnx::slice(b, values, {{last, 0, count, 1}}, shape);
  return onnx::reduce(b, "ReduceMin", first, {-1}, true);
}

// Sums of magnitudes are right of integers, too; they have to fit the type of these.
void translate_sums_of_integers(const NpNormParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  if (t.input_shape(0).is_empty()) {
    return t.set_output(0, onnx::fill(b, dtype, 0, t.output_shape(0)));
  }
  const auto axes = p.axes(t.input_shape(0).rank());
  const Value wide = b.cast(t.input(0), DType::kInt64);
  t.set_output(0, onnx::reshape(b, sums_norm(b, wide, p.ord, axes, dtype), t.output_shape(0)));
}

void translate_np_norm(const NpNormParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  const Shape& shape = t.input_shape(0);
  if (is_integer(dtype) && p.axes(shape.rank()).size() == 2 && p.sums_columns_or_rows()) {
    return translate_sums_of_integers(p, t);
  }
  if (!is_floating(dtype)) {
    return t.refuse("MXNet divides integers in whole numbers here, and what it gives is no norm",
                    "cast to float32 in the model");
  }
  if (shape.is_empty()) return t.set_output(0, onnx::fill(b, dtype, 0, t.output_shape(0)));
  const auto axes = p.axes(shape.rank());
  // MXNet sums float16 in float32.
  const Value x = b.cast(t.input(0), dtype == DType::kFloat16 ? DType::kFloat32 : dtype);
  const auto finish = [&](Value norm) {
    t.set_output(0, onnx::reshape(b, b.cast(norm, dtype), t.output_shape(0)));
  };
  if (p.is_of_all() || (axes.size() == 2 && p.flag == NpNormParam::kFrobenius)) {
    const Value magnitude = axes.empty() ? b.unary("Abs", x) : x;
    return finish(vector_norm(b, magnitude, 2, as_ints(axes)));
  }
  if (axes.size() == 1) {
    if (!std::isfinite(p.ord) || p.flag == NpNormParam::kNuclear) {
      return t.refuse(fmt::format("MXNet's operator has no vector norm of order {}", p.ord));
    }
    return finish(vector_norm(b, x, p.ord, as_ints(axes)));
  }
  if (axes.size() != 2) return t.refuse("MXNet has no norm of this order for a number");
  if (p.flag == NpNormParam::kNuclear && std::abs(p.ord) != 2) {
    return t.refuse(fmt::format("MXNet's front end has no nuclear norm of order {}", p.ord));
  }
  if (p.flag == NpNormParam::kNuclear || std::abs(p.ord) == 2) {
    if (dtype == DType::kFloat16) {
      return t.refuse("MXNet does not compute singular values of float16");
    }
    return finish(spectral_norm(b, x, p, axes));
  }
  if (std::abs(p.ord) != 1 && !std::isinf(p.ord)) {
    return t.refuse(fmt::format("there is no matrix norm of order {}", p.ord));
  }
  finish(sums_norm(b, x, p.ord, axes, b.dtype(x)));
}

}  // namespace

void register_np_norm(Registry& r) {
  r.add<NpNormParam>({"_npi_norm"})
      .summary("Norms of vectors or matrices.")
      .infer(infer_np_norm)
      .translate(translate_np_norm)
      .note(
          "Of order 2 of float32 beyond 1e19, or of float64 beyond 1e154, ONNX's result is "
          "infinite, "
          "MXNet's is not.");
}

}  // namespace mx2onnx
