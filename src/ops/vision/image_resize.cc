// Images resized by OpenCV: _image_resize, _cvimresize (src/operator/image/resize-inl.h,
// src/io/image_io.cc; OpenCV 3.4.2, modules/imgproc/src/resize.cpp). Height, width and channels are
// the last axes.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/budget.h"
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/vision/image_taps.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// OpenCV's numbers of interpolations. The last one is exact in 8 bits only.
enum Interpolation : std::int64_t { kNearest, kLinear, kCubic, kArea, kLanczos, kLinearExact };

constexpr double kMostSize = 1 << 20;

class Resizer {
 public:
  Resizer(Builder& b, Shape from, Shape to) : b_(b), from_(std::move(from)), to_(std::move(to)) {}

  Value nearest(Value x) {
    for (const std::size_t axis : {rows(), columns()}) {
      if (from_[axis] == to_[axis]) continue;
      x = b_.gather(x, nearest_indices(from_[axis], to_[axis]), static_cast<std::int64_t>(axis));
    }
    return x;
  }

  Value linear_float32(Value x) {
    const std::size_t rank = from_.rank();
    const Value first = b_.transpose(x, move_perm(rank, rank - 1, rank - 3));
    const Value resized = onnx::resize(b_, first, {to_[rows()], to_[columns()]}, "linear",
                                       onnx::ResizeCoordinates::kHalfPixel);
    return b_.transpose(resized, move_perm(rank, rank - 3, rank - 1));
  }

  // In float32 or float64, one axis after the other.
  Value filtered(Value x, std::int64_t interp) {
    for (const std::size_t axis : {columns(), rows()}) {
      x = sum(x, axis, taps_along(axis, interp));
    }
    return x;
  }

  // In whole numbers, with 11 bits for a weight.
  Value filtered_uint8(Value x, std::int64_t interp) {
    if (interp == kLinear && halves()) interp = kArea;
    if (interp == kArea && is_smaller()) return smaller_uint8(x);
    const Value wide =
        whole_sum(b_.cast(x, DType::kInt32), columns(), taps_along(columns(), interp));
    const Taps taps = taps_along(rows(), interp);
    if (interp == kLinear || interp == kArea) return linear_rows_uint8(wide, taps);
    const Value rounded = div_rounded(whole_sum(wide, rows(), taps), 1 << (2 * kWeightBits));
    return in_bytes(interp == kCubic ? cubic_rows(wide, taps, rounded) : rounded);
  }

  bool has_sizes() const {
    return from_[rows()].is_constant() && from_[columns()].is_constant() &&
           to_[rows()].is_constant() && to_[columns()].is_constant();
  }
  // What OpenCV does with bytes may depend on the number of channels.
  bool needs_channels(std::int64_t interp) const {
    return interp == kCubic || interp == kArea || (interp == kLinear && halves());
  }

 private:
  std::size_t rows() const { return from_.rank() - 3; }
  std::size_t columns() const { return from_.rank() - 2; }

  static constexpr int kWeightBits = 11;

  std::int64_t before(std::size_t axis) const { return from_[axis].value(); }
  std::int64_t after(std::size_t axis) const { return to_[axis].value(); }
  bool is_smaller() const {
    return before(rows()) >= after(rows()) && before(columns()) >= after(columns());
  }
  bool halves() const {
    return before(rows()) == 2 * after(rows()) && before(columns()) == 2 * after(columns());
  }
  bool divides_evenly() const {
    return before(rows()) % after(rows()) == 0 && before(columns()) % after(columns()) == 0;
  }

  Taps taps_along(std::size_t axis, std::int64_t interp) const {
    const std::int64_t from = before(axis);
    const std::int64_t to = after(axis);
    switch (interp) {
      case kCubic:
        return cubic_taps(from, to);
      case kArea:
        return is_smaller() ? area_taps(from, to) : larger_area_taps(from, to, axis == columns());
      case kLanczos:
        return lanczos_taps(from, to);
      default:
        return linear_taps(from, to, axis == columns());
    }
  }

  Value taken(Value x, std::size_t axis, const std::vector<std::int64_t>& at) {
    return b_.gather(x, b_.ints(at), static_cast<std::int64_t>(axis));
  }
  Value factors(DType dtype, std::size_t axis, const std::vector<double>& weights) {
    const auto size = static_cast<std::int64_t>(weights.size());
    return along_axis(b_, b_.constant(make_tensor_as(dtype, {size}, weights)), axis, from_.rank());
  }

  // In the order of OpenCV: one tap after the other.
  Value sum(Value x, std::size_t axis, const Taps& taps) {
    Value total;
    for (std::size_t k = 0; k < taps.at.size(); ++k) {
      const Value part =
          b_.mul(taken(x, axis, taps.at[k]), factors(b_.dtype(x), axis, taps.weights[k]));
      total = k == 0 ? part : b_.add(total, part);
    }
    return total;
  }

  static Taps in_whole_numbers(Taps taps) {
    for (auto& weights : taps.weights) {
      for (double& weight : weights) weight = std::nearbyint(weight * (1 << kWeightBits));
    }
    return taps;
  }
  Value whole_sum(Value x, std::size_t axis, const Taps& taps) {
    return sum(x, axis, in_whole_numbers(taps));
  }

  // VResizeLinear for bytes: each product is cut.
  Value linear_rows_uint8(Value x, const Taps& taps) {
    const Taps whole = in_whole_numbers(taps);
    const auto product = [&](std::size_t k) {
      const Value pixels = b_.div(taken(x, rows(), whole.at[k]), b_.scalar(DType::kInt32, 1 << 4));
      const Value weighed = b_.mul(pixels, factors(DType::kInt32, rows(), whole.weights[k]));
      return b_.div(weighed, b_.scalar(DType::kInt32, 1 << 16));
    };
    return b_.cast(div_rounded(b_.add(product(0), product(1)), 4), DType::kUint8);
  }

  Value div_rounded(Value x, std::int64_t divisor) {
    const std::int64_t half = divisor / 2;
    return b_.div(b_.add(x, b_.scalar(DType::kInt32, static_cast<double>(half))),
                  b_.scalar(DType::kInt32, static_cast<double>(divisor)));
  }
  Value in_bytes(Value x) { return b_.cast(onnx::clip(b_, x, 0, 255), DType::kUint8); }
  Value rounded(Value x) { return b_.cast(b_.unary("Round", x), DType::kInt32); }

  // VResizeCubicVec_32s8u adds in float32, eight elements of a row at a time; what is left of a row
  // is added in whole numbers.
  Value cubic_rows(Value x, const Taps& taps, Value rest) {
    Taps scaled = in_whole_numbers(taps);
    for (auto& weights : scaled.weights) {
      for (double& weight : weights) weight /= 1 << (2 * kWeightBits);
    }
    const Value all = rounded(sum(b_.cast(x, DType::kFloat32), rows(), scaled));
    constexpr std::int64_t kTogether = 8;
    const std::int64_t channels = to_[from_.rank() - 1].value();
    const std::int64_t row = after(columns()) * channels;
    if (row % kTogether == 0) return all;
    spend_elements(row);
    std::vector<double> in_eights(static_cast<std::size_t>(row), 0);
    std::fill(in_eights.begin(), in_eights.end() - row % kTogether, 1);
    const Value mask =
        b_.constant(make_tensor_as(DType::kBool, {after(columns()), channels}, in_eights));
    return b_.where(mask, all, rest);
  }

  // Areas of bytes: whole ones are added as integers, parts of them in float32.
  Value smaller_uint8(Value x) {
    Value result = b_.cast(x, DType::kFloat32);
    for (const std::size_t axis : {columns(), rows()}) {
      Taps taps = taps_along(axis, kArea);
      if (divides_evenly()) {
        for (auto& weights : taps.weights) std::fill(weights.begin(), weights.end(), 1);
      }
      result = sum(result, axis, taps);
    }
    if (!divides_evenly()) return in_bytes(rounded(result));
    const std::int64_t channels = to_[from_.rank() - 1].value();
    const bool is_common = channels == 1 || channels == 3 || channels == 4;
    if (halves() && is_common) return in_bytes(div_rounded(b_.cast(result, DType::kInt32), 4));
    const std::int64_t height = before(rows()) / after(rows());
    const std::int64_t width = before(columns()) / after(columns());
    const auto area = static_cast<float>(height * width);
    return in_bytes(rounded(b_.mul(result, b_.scalar(DType::kFloat32, 1.F / area))));
  }

  // min(floor(i / (to / from)), from - 1), each step in double.
  Value nearest_indices(const Dim& from, const Dim& to) {
    if (from.is_constant() && to.is_constant()) {
      const double scale =
          1 / (static_cast<double>(to.value()) / static_cast<double>(from.value()));
      spend_elements(to.value());
      std::vector<std::int64_t> indices;
      for (std::int64_t i = 0; i < to.value(); ++i) {
        const auto at = static_cast<std::int64_t>(std::floor(static_cast<double>(i) * scale));
        indices.push_back(std::min(at, from.value() - 1));
      }
      return b_.ints(indices);
    }
    const auto real = [&](Value x) { return b_.cast(x, DType::kFloat64); };
    const Value inverse =
        b_.div(real(onnx::size_tensor(b_, to)), real(onnx::size_tensor(b_, from)));
    const Value scale = b_.div(b_.scalar(DType::kFloat64, 1), inverse);
    const Value at = b_.cast(b_.mul(real(counting(b_, to)), scale), DType::kInt64);
    return b_.binary("Min", at, onnx::size_tensor(b_, from - 1));
  }

  Builder& b_;
  Shape from_;
  Shape to_;
};

void translate_resize(Translation& t, std::int64_t interp) {
  const DType dtype = t.input_type(0).dtype;
  const bool is_float = dtype == DType::kFloat32 || dtype == DType::kFloat64;
  // What only picks elements OpenCV does to more types than it computes with: of int8 it takes the
  // bytes for those of uint8.
  const bool is_picked = dtype == DType::kInt32 || dtype == DType::kInt8;
  const bool is_known = is_float || dtype == DType::kUint8 || (is_picked && interp == kNearest);
  if (!is_known) {
    return t.refuse(fmt::format("OpenCV does not resize images of {}", dtype_name(dtype)),
                    is_picked ? "the nearest elements (interp=0) would do" : "");
  }
  if (t.input_shape(0) == t.output_shape(0)) return t.set_output(0, t.input(0));
  if (is_float && interp == kLinearExact) interp = kLinear;
  if (interp < kNearest || interp > kLanczos) {
    return t.refuse(fmt::format("OpenCV has no interpolation {} of {}", interp, dtype_name(dtype)),
                    "0 is nearest, 1 linear, 2 cubic, 3 areas, 4 Lanczos");
  }
  Resizer resizer(t.b, t.input_shape(0), t.output_shape(0));
  if (interp == kNearest) return t.set_output(0, resizer.nearest(t.input(0)));
  if (dtype == DType::kFloat32 && interp == kLinear) {
    return t.set_output(0, resizer.linear_float32(t.input(0)));
  }
  const bool has_channels = t.output_shape(0).dims().back().is_constant();
  if (!resizer.has_sizes() ||
      (dtype == DType::kUint8 && !has_channels && resizer.needs_channels(interp))) {
    return t.refuse(
        fmt::format("needs known sizes to resize {} by interpolation {}", dtype_name(dtype),
                    interp),
        "give the input numbers for height, width and channels, or take linear interpolation of "
        "float32");
  }
  t.set_output(0, dtype == DType::kUint8 ? resizer.filtered_uint8(t.input(0), interp)
                                         : resizer.filtered(t.input(0), interp));
}

void set_resized(InferContext& c, const Dim& height, const Dim& width) {
  Shape image = c.input_shape(0);
  image[image.rank() - 3] = height;
  image[image.rank() - 2] = width;
  c.set_output_shape(0, image);
}

struct ImageResizeParam {
  Tuple size;
  bool keep_ratio = false;
  std::int64_t interp = kLinear;
  static void declare(AttrDeclarer<ImageResizeParam>& d) {
    d.field("size", &ImageResizeParam::size)
        .required()
        .sizes(1, 2)
        .at_least(1)
        .at_most(kMostSize)
        .help("width and height, or one number for both");
    d.field("keep_ratio", &ImageResizeParam::keep_ratio)
        .help("one number is that of the shorter side");
    d.field("interp", &ImageResizeParam::interp)
        .help("0: nearest, 1: linear, 2: cubic, 3: areas, 4: Lanczos");
  }
};

void infer_image_resize(const ImageResizeParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape& image = c.input_shape(0);
  if (!image.known_rank()) return;
  const std::size_t rank = image.rank();
  if (rank != 3 && rank != 4) c.fail_input(0, "3 or 4 dimensions");
  const Dim& height = image[rank - 3];
  const Dim& width = image[rank - 2];
  if (p.size.size() == 2) return set_resized(c, p.size[1], p.size[0]);
  const Dim size = p.size[0];
  if (!p.keep_ratio) return set_resized(c, size, size);
  const auto is_zero = [](const Dim& dim) { return dim.is_constant() && dim.value() == 0; };
  if (is_zero(height) || is_zero(width)) c.fail_input(0, "an image that is not empty");
  // The shorter side gets the size; the other one can only be larger.
  set_resized(c, max(floor_div(height * size, width), size),
              max(floor_div(width * size, height), size));
}

struct CvResizeParam {
  std::int64_t w = 0;
  std::int64_t h = 0;
  std::int64_t interp = kLinear;
  static void declare(AttrDeclarer<CvResizeParam>& d) {
    d.field("w", &CvResizeParam::w).required().at_least(1).at_most(kMostSize).help("width");
    d.field("h", &CvResizeParam::h).required().at_least(1).at_most(kMostSize).help("height");
    d.field("interp", &CvResizeParam::interp)
        .help("0: nearest, 1: linear, 2: cubic, 3: areas, 4: Lanczos");
  }
};

void infer_cv_resize(const CvResizeParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(3));
  set_resized(c, p.h, p.w);
}

}  // namespace

void register_image_resize(Registry& r) {
  const char* const limits =
      "Sizes have to be known but for nearest interpolation, and linear one of float32.";
  r.add<ImageResizeParam>({"_image_resize", "_npx__image_resize"})
      .summary("Images resized as OpenCV does.")
      .infer(infer_image_resize)
      .translate([](const ImageResizeParam& p, Translation& t) { translate_resize(t, p.interp); })
      .note("An element that is infinite or NaN makes NaN of pixels that it has no weight in, too.")
      .note(
          "MXNet 2.0.0b1 itself resizes uint8 images of more than four channels, and int8 ones, "
          "wrongly; the model is as 1.9.1.")
      .note(limits);
  r.add<CvResizeParam>({"_cvimresize", "_npi_cvimresize"})
      .summary("An image resized as OpenCV does.")
      .inputs({{"src", InputRole::kData}})
      .infer(infer_cv_resize)
      .translate([](const CvResizeParam& p, Translation& t) { translate_resize(t, p.interp); })
      .note("An element that is infinite or NaN makes NaN of pixels that it has no weight in, too.")
      .note(
          "MXNet 2.0.0b1 itself resizes uint8 images of more than four channels, and int8 ones, "
          "wrongly; the model is as 1.9.1.")
      .note(limits);
}

}  // namespace mx2onnx
