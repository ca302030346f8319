// What reductions over axes share: which axes go, and the sum, product and mean that MXNet gives of
// every element type.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// Which axes go, and what becomes of them. For the legacy operators no axes, or an empty tuple of
/// them, are all axes, with `exclude` too, and where every axis goes and keepdims is not set, the
/// result has the shape (1,), under NumPy shapes too. For NumPy's operators an empty tuple is no
/// axis, and the result is 0-d.
struct ReduceAxes {
  std::optional<Tuple> axis;
  bool keepdims = false;
  bool exclude = false;
  bool is_numpy = false;

  bool all() const { return !axis || (axis->empty() && !is_numpy); }
  /// The axes to reduce, in order. Fails with kModel if one is named twice, or is not there.
  std::vector<std::int64_t> of(std::size_t rank) const;
  /// The shape of the result.
  Shape result(const Shape& data) const;
  /// How many elements become one.
  Dim count(const Shape& data) const;
};

/// The axes of NumPy's operators.
struct NumpyReduceAxes : ReduceAxes {
  NumpyReduceAxes() { is_numpy = true; }
};

namespace reduction {

/// One of ONNX's reductions, with MXNet's shape of the result.
onnx::Value reduce(onnx::Builder& b, std::string_view op_type, onnx::Value x,
                   const ReduceAxes& axes);
/// One of bool, by way of int32: with ReduceMax it is "or", with ReduceMin "and".
onnx::Value reduce_bool(onnx::Builder& b, std::string_view op_type, onnx::Value x,
                        const ReduceAxes& axes);

/// Of integers all bits are right; of bool the sum is "or" and the product "and".
onnx::Value sum(onnx::Builder& b, onnx::Value x, const ReduceAxes& axes);
onnx::Value product(onnx::Builder& b, onnx::Value x, const ReduceAxes& axes);
/// Of integers it is their sum, in their own dtype and so perhaps overflown, divided as in C.
onnx::Value mean(onnx::Builder& b, onnx::Value x, const ReduceAxes& axes);

/// MXNet's root of the sum of squares of integers, which is an integer.
onnx::Value norm_of_integers(onnx::Builder& b, onnx::Value x, const ReduceAxes& p);

/// A number of elements as a 0-d value of a dtype. Of an integer dtype it is at least 1, because
/// ONNX Runtime dies of a division by 0.
onnx::Value count_value(onnx::Builder& b, const Dim& count, DType dtype);

}  // namespace reduction

/// Of operators that take extrema.
constexpr std::string_view kNanExtremeNote =
    "Where one of the elements is NaN the result is NaN in MXNet; in ONNX Runtime that depends on "
    "its position.";

/// Of sums that MXNet compensates.
constexpr std::string_view kInfinityNote =
    "Where one of the elements is infinite MXNet's compensated summation gives NaN, ONNX infinity.";

/// Of operators that take means.
constexpr std::string_view kMeanNote =
    "Of no elements the mean is NaN in MXNet; where their number is free ONNX Runtime gives 0.";

}  // namespace mx2onnx
