// The one place that knows how an operator is spelled in each opset: axes as attribute or as input,
// scalars as attribute or as input, attributes that came later. A translation says what it wants;
// these functions emit what the builder's target opset takes. All axes may be negative.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "onnx/builder.h"

namespace mx2onnx::onnx {

using Ints = std::vector<std::int64_t>;

/// "ReduceSum", "ReduceMean", "ReduceMax"… over the given axes; none at all leaves `x` as it is
/// (which is what ONNX's operators do not do when the list is empty).
Value reduce(Builder& b, std::string_view op_type, Value x, const Ints& axes, bool keepdims);

/// "ArgMax" or "ArgMin" along one axis; int64; the first of equal elements.
Value arg_reduce(Builder& b, std::string_view op_type, Value x, std::int64_t axis, bool keepdims);

Value squeeze(Builder& b, Value x, const Ints& axes);
/// The axes count in the result.
Value unsqueeze(Builder& b, Value x, const Ints& axes);

/// Parts of the given sizes along an axis.
std::vector<Value> split(Builder& b, Value x, std::int64_t axis, const std::vector<Dim>& sizes);

/// Elements [start, end) with a step along each axis. `kSliceEnd` as an end is "to the end", and
/// with a negative step `kSliceBegin` is "to before the first".
constexpr std::int64_t kSliceEnd = INT64_MAX;
constexpr std::int64_t kSliceBegin = INT64_MIN;
struct SliceRange {
  std::int64_t axis = 0;
  Dim start;
  Dim end;
  std::int64_t step = 1;
};
/// `result` is the shape of the result.
Value slice(Builder& b, Value x, const std::vector<SliceRange>& ranges, const Shape& result);

/// "Softmax" or "LogSoftmax" along one axis.
Value softmax(Builder& b, std::string_view op_type, Value x, std::int64_t axis);

/// Pads each axis; `before` and `after` have one element per axis. Modes: "constant", "edge",
/// "reflect". Nothing if there is nothing to pad.
Value pad(Builder& b, Value x, const Ints& before, const Ints& after, std::string_view mode,
          double value = 0);

/// min(max(x, low), high); a bound that is absent does not bound.
Value clip(Builder& b, Value x, std::optional<double> low, std::optional<double> high);

/// Inference-time dropout: the identity.
Value dropout(Builder& b, Value x, double ratio);
/// Draws what a dropout keeps, at inference: a bool for each element of `x`, false with the chance
/// `ratio`.
Value drawn_dropout(Builder& b, Value x, double ratio);

Value batch_normalization(Builder& b, Value x, Value scale, Value bias, Value mean, Value variance,
                          double epsilon);

/// Sizes [begin, end) of a value's shape as an int64 tensor.
Value shape_slice(Builder& b, Value x, std::size_t begin, std::size_t end);

/// True if Reshape can be told that 0 means 0.
bool has_allowzero(const Builder& b);

/// Whether an opset has DFT.
bool has_dft(int opset);
/// The Fourier transform along axis 1 of (rows, length, 1 or 2); complex numbers are the last axis
/// of the result. The inverse is divided by the length.
Value dft(Builder& b, Value x, bool inverse);

/// How Resize maps coordinates: ONNX's coordinate_transformation_mode.
enum class ResizeCoordinates { kAsymmetric, kHalfPixel, kAlignCorners, kPytorchHalfPixel };
/// Resizes the last axes (as many as there are sizes) of `x`. Mode: "nearest" (floor) or "linear".
Value resize(Builder& b, Value x, const std::vector<Dim>& sizes, std::string_view mode,
             ResizeCoordinates coordinates);

/// Gives RoiAlign's attributes the place of pixels: with `centered` their centers are at .5. Opsets
/// before 16 know only the other.
void set_roi_coordinates(const Builder& b, Attributes& attrs, bool centered);

/// The k largest (or smallest) along an axis, sorted: values and int64 indices.
std::pair<Value, Value> top_k(Builder& b, Value x, const Dim& k, std::int64_t axis, bool largest);

}  // namespace mx2onnx::onnx
