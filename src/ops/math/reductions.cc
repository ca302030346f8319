#include "ops/math/reductions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/binary_functions.h"
#include "ops/expressions/common.h"
#include "ops/expressions/integer_functions.h"
#include "ops/math/exact_reduce.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Ints;
using onnx::Value;

Ints ReduceAxes::of(std::size_t rank) const {
  if (all()) return iota(rank);
  // A 0-d array has an axis 0 for NumPy's operators.
  const bool is_scalar = is_numpy && rank == 0 && axis->size() == 1;
  if (is_scalar && (axis->front() == 0 || axis->front() == -1)) return {};
  std::vector<bool> named(rank, false);
  for (const auto a : *axis) {
    const std::size_t at = checked_axis(a, rank);
    if (named[at]) fail(ErrorCode::kModel, fmt::format("axis {} is named twice", a));
    named[at] = true;
  }
  Ints axes;
  for (std::size_t i = 0; i < rank; ++i) {
    if (named[i] != exclude) axes.push_back(static_cast<std::int64_t>(i));
  }
  return axes;
}

Shape ReduceAxes::result(const Shape& data) const {
  const Ints axes = of(data.rank());
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < data.rank(); ++i) {
    const bool gone =
        std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) != axes.end();
    if (!gone) dims.push_back(data[i]);
    if (gone && keepdims) dims.emplace_back(1);
  }
  if (dims.empty() && !keepdims && !is_numpy) dims.emplace_back(1);
  return Shape(std::move(dims));
}

Dim ReduceAxes::count(const Shape& data) const {
  Dim count = 1;
  for (const auto a : of(data.rank())) count = count * data[static_cast<std::size_t>(a)];
  return count;
}

namespace reduction {
namespace {

using Emit = std::function<Value(const Ints& axes, bool keepdims)>;

// Emits a reduction with MXNet's shape of the result.
Value shaped(Builder& b, const Shape& data, const ReduceAxes& axes, const Emit& emit) {
  const Ints reduced = axes.of(data.rank());
  const bool to_one = reduced.size() == data.rank() && !axes.keepdims && !axes.is_numpy;
  const Value result = emit(reduced, axes.keepdims || (to_one && data.rank() == 1));
  return to_one ? onnx::reshape(b, result, Shape{1}) : result;
}

}  // namespace

Value reduce(Builder& b, std::string_view op_type, Value x, const ReduceAxes& axes) {
  return shaped(b, b.shape(x), axes, [&](const Ints& reduced, bool keepdims) {
    return onnx::reduce(b, op_type, x, reduced, keepdims);
  });
}

// On bool, MXNet's sum is "or" and its product is "and".
Value reduce_bool(Builder& b, std::string_view op_type, Value x, const ReduceAxes& axes) {
  return b.cast(reduce(b, op_type, b.cast(x, DType::kInt32), axes), DType::kBool);
}

Value sum(Builder& b, Value x, const ReduceAxes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMax", x, axes);
  const DType dtype = b.dtype(x);
  if (!is_integer(dtype)) return reduce(b, "ReduceSum", x, axes);
  // Of narrower ones the low bits of the sum in int64 are the result. (In int32 ONNX Runtime stops
  // at the largest number.)
  if (dtype != DType::kInt64) {
    return b.cast(reduce(b, "ReduceSum", b.cast(x, DType::kInt64), axes), dtype);
  }
  return shaped(b, b.shape(x), axes, [&](const Ints& reduced, bool keepdims) {
    return exact_sum(b, x, reduced, keepdims);
  });
}

Value product(Builder& b, Value x, const ReduceAxes& axes) {
  if (b.dtype(x) == DType::kBool) return reduce_bool(b, "ReduceMin", x, axes);
  const DType dtype = b.dtype(x);
  if (!is_integer(dtype)) return reduce(b, "ReduceProd", x, axes);
  const Value wide = b.cast(x, DType::kInt64);
  const Value result = shaped(b, b.shape(x), axes, [&](const Ints& reduced, bool keepdims) {
    return exact_product(b, wide, reduced, keepdims);
  });
  return b.cast(result, dtype);
}

Value count_value(Builder& b, const Dim& count, DType dtype) {
  if (count.is_constant()) {
    const std::int64_t least = is_integer(dtype) ? 1 : 0;
    return b.scalar(dtype, static_cast<double>(std::max(count.value(), least)));
  }
  const Value size = onnx::reshape(b, onnx::size_tensor(b, count), Shape(std::vector<Dim>{}));
  return b.cast(is_integer(dtype) ? b.binary("Max", size, b.int_scalar(1)) : size, dtype);
}

// The mean of integers is their sum, in their own dtype and so perhaps overflown, divided as in C.
Value mean(Builder& b, Value x, const ReduceAxes& axes) {
  const DType dtype = b.dtype(x);
  if (dtype == DType::kBool) return sum(b, x, axes);
  const Dim count = axes.count(b.shape(x));
  if (!is_integer(dtype)) {
    // The mean of nothing is NaN; ONNX Runtime's is 0.
    const bool empty = count.is_constant() && count.value() == 0;
    if (empty) return onnx::fill(b, dtype, std::nan(""), axes.result(b.shape(x)));
    return reduce(b, "ReduceMean", x, axes);
  }
  // There may be no elements, and then no results either, or MXNet crashes.
  const Value divisor = count_value(b, count, dtype);
  return binary::kDivide.emit(b, sum(b, x, axes), divisor);
}

// MXNet scales by the largest magnitude so far, and divides integers by it: of the sum of squares
// remains how often that magnitude occurs. Its root is taken in float64.
Value norm_of_integers(Builder& b, Value x, const ReduceAxes& p) {
  const DType dtype = b.dtype(x);
  const Value magnitudes = b.unary("Abs", b.cast(x, DType::kInt64));
  const Ints axes = p.of(b.shape(x).rank());
  const Value largest = onnx::reduce(b, "ReduceMax", magnitudes, axes, true);
  const Value hits = b.cast(b.binary("Equal", magnitudes, largest), DType::kInt64);
  const Value count = b.cast(reduce(b, "ReduceSum", hits, p), dtype);
  const Value root = b.unary("Sqrt", b.cast(count, DType::kFloat64));
  const Value scale = b.cast(reduce(b, "ReduceMax", magnitudes, p), DType::kFloat64);
  const DType wide = dtype == DType::kInt64 ? dtype : DType::kInt32;
  return b.cast(cut_to_integer(b, b.mul(scale, root), wide), dtype);
}

}  // namespace reduction
}  // namespace mx2onnx
