#include "onnx/opset.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "onnx/kernels.h"
#include "onnx/shape_expr.h"

namespace mx2onnx::onnx {
namespace {

// Axes of Squeeze, Unsqueeze and ReduceSum became an input at 13, those of the other reductions
// at 18.
constexpr int kAxesAsInput = 13;
constexpr int kReduceAxesAsInput = 18;
constexpr int kSplitAsInput = 13;
constexpr int kSplitNumOutputs = 18;
constexpr int kSoftmaxOneAxis = 13;
constexpr int kShapeRange = 15;
constexpr int kAllowZero = 14;
constexpr int kBatchNormTrainingMode = 14;
constexpr int kResizeOptionalInputs = 13;
constexpr int kScatterSums = 16;
constexpr int kQuantize = 10;
constexpr int kQuantizeOutputType = 21;
constexpr int kQuantizeAxis = 13;
constexpr int kLastQuantizeKernel = 27;  // of ONNX Runtime 1.23 to 1.27
constexpr int kDft = 17;
constexpr int kDftAxisAsInput = 20;
constexpr int kRoiAlignCentered = 16;
// From here on the two operators take bfloat16, and ONNX Runtime (1.32) has no kernels for a CPU.
constexpr int kRoiWithoutKernels = 22;
constexpr int kNoRandomKernels = 22;

std::vector<bool> axis_mask(const Ints& axes, std::size_t rank) {
  std::vector<bool> mask(rank, false);
  for (const auto axis : axes) {
    const auto at = resolve_axis(axis, rank);
    require(at.has_value(), "an axis is out of range");
    mask[*at] = true;
  }
  return mask;
}

Shape without_axes(const Shape& shape, const Ints& axes, bool keepdims) {
  const auto mask = axis_mask(axes, shape.rank());
  std::vector<Dim> dims;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (!mask[i]) {
      dims.push_back(shape[i]);
    } else if (keepdims) {
      dims.emplace_back(1);
    }
  }
  return Shape(std::move(dims));
}

Value emit_with_axes(Builder& b, std::string_view op_type, Value x, const Ints& axes, bool as_input,
                     Attributes attrs, TensorType result) {
  if (as_input) return b.emit(op_type, {x, b.ints(axes)}, std::move(attrs), std::move(result));
  attrs.insert(attrs.begin(), {"axes", axes});
  return b.emit(op_type, {x}, std::move(attrs), std::move(result));
}

Value range_bounds(Builder& b, const std::vector<SliceRange>& ranges, Dim SliceRange::*bound) {
  std::vector<Dim> dims;
  for (const auto& range : ranges) dims.push_back(range.*bound);
  return sizes_tensor(b, dims);
}

}  // namespace

Value reduce(Builder& b, std::string_view op_type, Value x, const Ints& axes, bool keepdims) {
  if (axes.empty()) return x;
  const int since = op_type == "ReduceSum" ? kAxesAsInput : kReduceAxesAsInput;
  return emit_with_axes(b, op_type, x, axes, b.opset() >= since, {{"keepdims", keepdims}},
                        {b.dtype(x), without_axes(b.shape(x), axes, keepdims)});
}

Value arg_reduce(Builder& b, std::string_view op_type, Value x, std::int64_t axis, bool keepdims) {
  return b.emit(op_type, {x}, {{"axis", axis}, {"keepdims", keepdims}},
                {DType::kInt64, without_axes(b.shape(x), {axis}, keepdims)});
}

Value squeeze(Builder& b, Value x, const Ints& axes) {
  if (axes.empty()) return x;
  return emit_with_axes(b, "Squeeze", x, axes, b.opset() >= kAxesAsInput, {},
                        {b.dtype(x), without_axes(b.shape(x), axes, false)});
}

Value unsqueeze(Builder& b, Value x, const Ints& axes) {
  if (axes.empty()) return x;
  const Shape& from = b.shape(x);
  const auto mask = axis_mask(axes, from.rank() + axes.size());
  std::vector<Dim> dims;
  std::size_t next = 0;
  for (const bool is_new : mask) dims.push_back(is_new ? Dim(1) : from[next++]);
  return emit_with_axes(b, "Unsqueeze", x, axes, b.opset() >= kAxesAsInput, {},
                        {b.dtype(x), Shape(std::move(dims))});
}

std::vector<Value> split(Builder& b, Value x, std::int64_t axis, const std::vector<Dim>& sizes) {
  const auto at = resolve_axis(axis, b.shape(x).rank());
  require(at.has_value(), "Split is emitted with an axis out of range");
  std::vector<TensorType> types;
  for (const Dim& size : sizes) {
    TensorType type = b.type(x);
    type.shape[*at] = size;
    types.push_back(std::move(type));
  }
  const bool equal =
      std::all_of(sizes.begin(), sizes.end(), [&](const Dim& size) { return size == sizes[0]; });
  Attributes attrs{{"axis", axis}};
  // Without sizes the parts are equal.
  if (equal) {
    if (b.opset() >= kSplitNumOutputs)
      attrs.emplace_back("num_outputs", static_cast<std::int64_t>(sizes.size()));
    return b.emit_many("Split", {x}, std::move(attrs), std::move(types));
  }
  if (b.opset() >= kSplitAsInput) {
    return b.emit_many("Split", {x, sizes_tensor(b, sizes)}, std::move(attrs), std::move(types));
  }
  const Shape numbers(sizes);
  if (!numbers.is_static()) {
    std::vector<Value> parts;
    Dim start = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      parts.push_back(slice(b, x, {{axis, start, start + sizes[i], 1}}, types[i].shape));
      start = start + sizes[i];
    }
    return parts;
  }
  attrs.emplace_back("split", numbers.sizes());
  return b.emit_many("Split", {x}, std::move(attrs), std::move(types));
}

Value slice(Builder& b, Value x, const std::vector<SliceRange>& ranges, const Shape& result) {
  if (ranges.empty()) return x;
  Ints axes;
  Ints steps;
  for (const auto& range : ranges) {
    axes.push_back(range.axis);
    steps.push_back(range.step);
  }
  const bool unit_steps =
      std::all_of(steps.begin(), steps.end(), [](auto step) { return step == 1; });
  return b.emit(
      "Slice",
      {x, range_bounds(b, ranges, &SliceRange::start), range_bounds(b, ranges, &SliceRange::end),
       b.ints(axes), unit_steps ? Value{} : b.ints(steps)},
      {}, {b.dtype(x), result});
}

Value softmax(Builder& b, std::string_view op_type, Value x, std::int64_t axis) {
  const std::size_t rank = b.shape(x).rank();
  const auto at = resolve_axis(axis, rank);
  require(at.has_value(), "Softmax is emitted with an axis out of range");
  if (b.opset() >= kSoftmaxOneAxis || *at + 1 == rank) {
    return b.emit(op_type, {x}, {{"axis", static_cast<std::int64_t>(*at)}}, b.type(x));
  }
  // To opset 12 all axes from `axis` on are normalised together: the axis goes last and comes back.
  Ints perm;
  for (std::size_t i = 0; i < rank; ++i) perm.push_back(static_cast<std::int64_t>(i));
  std::swap(perm[*at], perm[rank - 1]);
  const Value last = b.transpose(x, perm);
  const Value soft =
      b.emit(op_type, {last}, {{"axis", static_cast<std::int64_t>(rank - 1)}}, b.type(last));
  return b.transpose(soft, perm);
}

Value pad(Builder& b, Value x, const Ints& before, const Ints& after, std::string_view mode,
          double value) {
  const auto is_zero = [](std::int64_t pad) { return pad == 0; };
  if (std::all_of(before.begin(), before.end(), is_zero) &&
      std::all_of(after.begin(), after.end(), is_zero)) {
    return x;
  }
  TensorType result = b.type(x);
  for (std::size_t i = 0; i < before.size(); ++i) {
    result.shape[i] = result.shape[i] + before[i] + after[i];
  }
  Ints pads = before;
  pads.insert(pads.end(), after.begin(), after.end());
  std::vector<Value> inputs{x, b.ints(pads)};
  if (mode == "constant") inputs.push_back(b.scalar(b.dtype(x), value));
  return b.emit("Pad", std::move(inputs), {{"mode", std::string(mode)}}, std::move(result));
}

Value clip(Builder& b, Value x, std::optional<double> low, std::optional<double> high) {
  const auto bound = [&](std::optional<double> value) { return b.scalar(b.dtype(x), *value); };
  // Not a Clip with one bound: ONNX Runtime takes the largest finite number for the other one.
  if (!low && !high) return x;
  if (!high) return b.binary("Max", x, bound(low));
  if (!low) return b.binary("Min", x, bound(high));
  return b.emit("Clip", {x, bound(low), bound(high)}, {}, b.type(x));
}

Value drawn_dropout(Builder& b, Value x, double ratio) {
  // ONNX Runtime (1.32) drops the node, training_mode or not, where only its first output is used.
  const auto outputs =
      b.emit_many("Dropout", {x, b.scalar(DType::kFloat32, ratio), b.scalar(DType::kBool, 1)}, {},
                  {b.type(x), {DType::kBool, b.shape(x)}});
  return outputs[1];
}

Value dropout(Builder& b, Value x, double ratio) {
  return b.emit("Dropout", {x, b.scalar(DType::kFloat32, ratio)}, {}, b.type(x));
}

Value batch_normalization(Builder& b, Value x, Value scale, Value bias, Value mean, Value variance,
                          double epsilon) {
  Attributes attrs{{"epsilon", epsilon}};
  if (b.opset() >= kBatchNormTrainingMode) attrs.emplace_back("training_mode", 0);
  return b.emit("BatchNormalization", {x, scale, bias, mean, variance}, std::move(attrs),
                b.type(x));
}

Value shape_slice(Builder& b, Value x, std::size_t begin, std::size_t end) {
  const auto count = static_cast<std::int64_t>(end - begin);
  const bool whole = begin == 0 && end == b.shape(x).rank();
  if (b.opset() >= kShapeRange && !whole) {
    return b.emit(
        "Shape", {x},
        {{"start", static_cast<std::int64_t>(begin)}, {"end", static_cast<std::int64_t>(end)}},
        {DType::kInt64, Shape{count}});
  }
  const std::string key = fmt::format("shape of {}", x.id);
  Value all = b.find_cached(key);
  if (!all.present()) {
    all = b.emit("Shape", {x}, {},
                 {DType::kInt64, Shape{static_cast<std::int64_t>(b.shape(x).rank())}});
    b.remember(key, all);
  }
  if (whole) return all;
  Ints axes;
  for (std::size_t axis = begin; axis < end; ++axis)
    axes.push_back(static_cast<std::int64_t>(axis));
  return b.gather(all, b.ints(axes), 0);
}

bool scatters_sums(const Builder& b) { return b.opset() >= kScatterSums; }

bool wants_int8_zero_point(const Builder& b) { return b.opset() < kQuantizeOutputType; }

bool runs_quantize_linear(const Builder& b, bool by_axis) {
  return b.opset() >= (by_axis ? kQuantizeAxis : kQuantize) && b.opset() <= kLastQuantizeKernel;
}

bool draws_random(const Builder& b) { return b.opset() < kNoRandomKernels; }

bool has_dft(int opset) { return opset >= kDft; }

Value dft(Builder& b, Value x, bool inverse) {
  TensorType type = b.type(x);
  type.shape[2] = 2;
  Attributes attrs{{"inverse", inverse}};
  if (b.opset() >= kDftAxisAsInput) {
    return b.emit("DFT", {x, Value{}, b.int_scalar(1)}, std::move(attrs), std::move(type));
  }
  attrs.emplace_back("axis", 1);
  return b.emit("DFT", {x}, std::move(attrs), std::move(type));
}

bool has_allowzero(const Builder& b) { return b.opset() >= kAllowZero; }

namespace {

// The factors of the last axes, where they are whole numbers; 1 for the axes before.
std::optional<std::vector<float>> whole_factors(const Shape& from, const std::vector<Dim>& sizes) {
  std::vector<float> factors(from.rank(), 1.0F);
  const std::size_t first = from.rank() - sizes.size();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Dim& size = from[first + i];
    if (size.is_constant() && size.value() == 0) return std::nullopt;
    const Dim factor = floor_div(sizes[i], size);
    if (!factor.is_constant() || !(factor * size == sizes[i])) return std::nullopt;
    factors[first + i] = static_cast<float>(factor.value());
  }
  return factors;
}

// The factors of the last axes, where they are numbers and give these sizes as ONNX Runtime
// computes them: cut to integers, in float32. For a shape that is not a number otherwise.
std::optional<std::vector<float>> exact_factors(const Shape& from, const std::vector<Dim>& sizes) {
  std::vector<float> factors(from.rank(), 1.0F);
  const std::size_t first = from.rank() - sizes.size();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Dim& size = from[first + i];
    if (!size.is_constant() || !sizes[i].is_constant() || size.value() < 1) return std::nullopt;
    const auto old_size = static_cast<float>(size.value());
    const float factor = static_cast<float>(sizes[i].value()) / old_size;
    if (static_cast<std::int64_t>(factor * old_size) != sizes[i].value()) return std::nullopt;
    factors[first + i] = factor;
  }
  return factors;
}

}  // namespace

Value resize(Builder& b, Value x, const std::vector<Dim>& sizes, std::string_view mode,
             ResizeCoordinates coordinates) {
  constexpr std::array<std::string_view, 4> kNames = {"asymmetric", "half_pixel", "align_corners",
                                                      "pytorch_half_pixel"};
  std::vector<Dim> dims = b.shape(x).dims();
  std::copy(sizes.begin(), sizes.end(), dims.end() - static_cast<std::ptrdiff_t>(sizes.size()));
  Attributes attrs{{"coordinate_transformation_mode",
                    std::string(kNames[static_cast<std::size_t>(coordinates)])},
                   {"mode", std::string(mode)}};
  if (mode == "nearest") attrs.emplace_back("nearest_mode", "floor");
  // To opset 12 roi and scales are not optional; empty ones mean "absent".
  Value absent;
  if (b.opset() < kResizeOptionalInputs) absent = b.constant(make_tensor<float>({0}, {}));
  const TensorType type{b.dtype(x), Shape(dims)};
  auto factors = whole_factors(b.shape(x), sizes);
  // Without shape arithmetic where only a batch is free.
  const bool known_sizes = Shape(sizes).is_static() && !type.shape.is_static();
  if (!factors && known_sizes) factors = exact_factors(b.shape(x), sizes);
  if (factors) {
    const auto count = static_cast<std::int64_t>(factors->size());
    const Value scales = b.constant(make_tensor<float>({count}, *factors));
    return b.emit("Resize", {x, absent, scales}, std::move(attrs), type);
  }
  // Not by the attribute `axes` of opset 18: ONNX Runtime (1.32) breaks it where it moves a
  // Transpose across the node.
  return b.emit("Resize", {x, absent, absent, sizes_tensor(b, dims)}, std::move(attrs), type);
}

bool runs_roi_align(const Builder& b, bool centered) {
  return b.opset() < kRoiWithoutKernels && (!centered || b.opset() >= kRoiAlignCentered);
}

bool runs_max_roi_pool(const Builder& b, DType dtype) {
  return b.opset() < kRoiWithoutKernels && dtype == DType::kFloat32;
}

void set_roi_coordinates(const Builder& b, Attributes& attrs, bool centered) {
  require(b.opset() >= kRoiAlignCentered || !centered,
          "RoiAlign is emitted with centers before opset 16");
  if (b.opset() < kRoiAlignCentered) return;
  attrs.emplace_back("coordinate_transformation_mode",
                     centered ? "half_pixel" : "output_half_pixel");
}

std::pair<Value, Value> top_k(Builder& b, Value x, const Dim& k, std::int64_t axis, bool largest) {
  const auto at = resolve_axis(axis, b.shape(x).rank());
  require(at.has_value(), "TopK is emitted with an axis out of range");
  TensorType values = b.type(x);
  values.shape[*at] = k;
  const TensorType indices{DType::kInt64, values.shape};
  const auto outputs =
      b.emit_many("TopK", {x, size_tensor(b, k)},
                  {{"axis", axis}, {"largest", largest}, {"sorted", 1}}, {values, indices});
  return {outputs[0], outputs[1]};
}

}  // namespace mx2onnx::onnx
