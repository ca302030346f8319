// Images resized or bordered by OpenCV: _image_resize, _cvimresize, _cvcopyMakeBorder
// (src/operator/image/resize-inl.h, src/io/image_io.cc; OpenCV 3.4.2,
// modules/imgproc/src/resize.cpp and modules/core/src/copy.cpp). Height, width and channels are the
// last axes.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr std::int64_t kNearest = 0;
constexpr std::int64_t kLinear = 1;
constexpr double kMostSize = 1 << 20;

std::vector<AttrProblem> check_interp(std::int64_t interp) {
  if (interp == kNearest || interp == kLinear) return {};
  return {{"interp", fmt::format("expected 0 (nearest) or 1 (linear), got {}", interp),
           "ONNX has no operator that computes OpenCV's other interpolations"}};
}

// The pixels beside each one of the result along an axis, and how far from the first one it is.
struct Samples {
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  std::vector<double> distance;
};

// OpenCV computes the place in double and keeps it in float. It moves columns beyond the edge onto
// it, but only clamps rows.
Samples linear_samples(std::int64_t from, std::int64_t to, bool is_columns) {
  const double scale = 1 / (static_cast<double>(to) / static_cast<double>(from));
  Samples samples;
  for (std::int64_t i = 0; i < to; ++i) {
    const auto place = static_cast<float>((static_cast<double>(i) + 0.5) * scale - 0.5);
    const auto first = static_cast<std::int64_t>(std::floor(place));
    const bool beyond = first < 0 || first >= from - 1;
    const float distance = is_columns && beyond ? 0 : place - static_cast<float>(first);
    samples.before.push_back(std::clamp<std::int64_t>(first, 0, from - 1));
    samples.after.push_back(std::clamp<std::int64_t>(first + 1, 0, from - 1));
    samples.distance.push_back(distance);
  }
  return samples;
}

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

  Value linear_float64(Value x) {
    for (const std::size_t axis : {columns(), rows()}) {
      const Samples samples = samples_along(axis);
      std::vector<double> weights;
      for (const double distance : samples.distance) {
        weights.push_back(static_cast<float>(1 - static_cast<float>(distance)));
      }
      const auto weighted = [&](const std::vector<std::int64_t>& at, std::span<const double> by) {
        const Value factor = b_.constant(
            make_tensor_as(DType::kFloat64, {static_cast<std::int64_t>(by.size())}, by));
        return b_.mul(b_.gather(x, b_.ints(at), static_cast<std::int64_t>(axis)),
                      along_axis(b_, factor, axis, from_.rank()));
      };
      x = b_.add(weighted(samples.before, weights), weighted(samples.after, samples.distance));
    }
    return x;
  }

  // In whole numbers, with 11 bits for a weight: OpenCV's VResizeLinear and HResizeLinear for
  // bytes.
  Value linear_uint8(Value x) {
    constexpr double kOne = 1 << 11;
    x = b_.cast(x, DType::kInt32);
    for (const std::size_t axis : {columns(), rows()}) {
      const Samples samples = samples_along(axis);
      std::vector<double> before;
      std::vector<double> after;
      for (const double distance : samples.distance) {
        const float rest = 1 - static_cast<float>(distance);
        before.push_back(std::nearbyint(rest * kOne));
        after.push_back(std::nearbyint(distance * kOne));
      }
      const bool last = axis == rows();
      const auto weighted = [&](const std::vector<std::int64_t>& at,
                                const std::vector<double>& by) {
        const Value factor =
            b_.constant(make_tensor_as(DType::kInt32, {static_cast<std::int64_t>(by.size())}, by));
        Value pixels = b_.gather(x, b_.ints(at), static_cast<std::int64_t>(axis));
        if (last) pixels = b_.div(pixels, b_.scalar(DType::kInt32, 1 << 4));
        const Value product = b_.mul(pixels, along_axis(b_, factor, axis, from_.rank()));
        return last ? b_.div(product, b_.scalar(DType::kInt32, 1 << 16)) : product;
      };
      x = b_.add(weighted(samples.before, before), weighted(samples.after, after));
    }
    const Value rounded =
        b_.div(b_.add(x, b_.scalar(DType::kInt32, 2)), b_.scalar(DType::kInt32, 4));
    return b_.cast(rounded, DType::kUint8);
  }

  bool is_static() const {
    return from_[rows()].is_constant() && from_[columns()].is_constant() &&
           to_[rows()].is_constant() && to_[columns()].is_constant();
  }

 private:
  std::size_t rows() const { return from_.rank() - 3; }
  std::size_t columns() const { return from_.rank() - 2; }

  Samples samples_along(std::size_t axis) const {
    return linear_samples(from_[axis].value(), to_[axis].value(), axis == columns());
  }

  // min(floor(i / (to / from)), from - 1), each step in double.
  Value nearest_indices(const Dim& from, const Dim& to) {
    if (from.is_constant() && to.is_constant()) {
      const double scale =
          1 / (static_cast<double>(to.value()) / static_cast<double>(from.value()));
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
  const bool is_known =
      is_float || dtype == DType::kUint8 || (dtype == DType::kInt32 && interp == kNearest);
  if (!is_known) {
    return t.refuse(fmt::format("OpenCV does not resize images of {}", dtype_name(dtype)));
  }
  if (t.input_shape(0) == t.output_shape(0)) return t.set_output(0, t.input(0));
  Resizer resizer(t.b, t.input_shape(0), t.output_shape(0));
  if (interp == kNearest) return t.set_output(0, resizer.nearest(t.input(0)));
  if (dtype == DType::kFloat32) return t.set_output(0, resizer.linear_float32(t.input(0)));
  if (!resizer.is_static()) {
    return t.refuse(fmt::format("needs known sizes to resize {} linearly", dtype_name(dtype)),
                    "give the input numbers for height and width, or cast it to float32");
  }
  t.set_output(0, dtype == DType::kUint8 ? resizer.linear_uint8(t.input(0))
                                         : resizer.linear_float64(t.input(0)));
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
    d.field("interp", &ImageResizeParam::interp).help("0: nearest, 1: linear");
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
    d.field("interp", &CvResizeParam::interp).help("0: nearest, 1: linear");
  }
};

void infer_cv_resize(const CvResizeParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(3));
  set_resized(c, p.h, p.w);
}

struct BorderParam {
  enum Type : std::int64_t { kConstant, kReplicate, kReflect, kWrap, kReflect101 };
  std::int64_t top = 0;
  std::int64_t bot = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;
  std::int64_t type = kConstant;
  double value = 0;
  FloatTuple values;

  static void declare(AttrDeclarer<BorderParam>& d) {
    const auto margin = [&](const char* name, std::int64_t BorderParam::*member) {
      d.field(name, member).required().at_least(0).at_most(kMostSize).help("pixels");
    };
    margin("top", &BorderParam::top);
    margin("bot", &BorderParam::bot);
    margin("left", &BorderParam::left);
    margin("right", &BorderParam::right);
    d.field("type", &BorderParam::type)
        .at_least(kConstant)
        .at_most(kReflect101)
        .help("0: a colour; 1: the edge; 2: mirrored with the edge; 3: repeated; 4: mirrored");
    d.field("value", &BorderParam::value).help("of the first three channels, for type 0");
    d.field("values", &BorderParam::values).help("of each channel, for type 0");
  }
};

void infer_border(const BorderParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(3));
  const Shape& image = c.input_shape(0);
  c.set_output_shape(0, {image[0] + p.top + p.bot, image[1] + p.left + p.right, image[2]});
}

// The pixel that OpenCV copies to place `at`, which may lie outside (borderInterpolate).
std::int64_t copied_from(std::int64_t at, std::int64_t size, std::int64_t type) {
  const auto modulo = [](std::int64_t a, std::int64_t n) { return ((a % n) + n) % n; };
  if (type == BorderParam::kReplicate || size == 1) {
    return std::clamp<std::int64_t>(at, 0, size - 1);
  }
  if (type == BorderParam::kWrap) return modulo(at, size);
  const std::int64_t period = type == BorderParam::kReflect ? 2 * size : 2 * size - 2;
  const std::int64_t phase = modulo(at, period);
  return phase < size ? phase : (type == BorderParam::kReflect ? 2 * size - 1 : period) - phase;
}

// OpenCV's colours have four numbers.
constexpr std::size_t kColourSize = 4;

// The colour as elements: of integers rounded, halves to even, and kept in range. Numbers that are
// not given are 0.
std::array<double, kColourSize> colour_of(const BorderParam& p, DType dtype) {
  std::array<double, kColourSize> colour{p.value, p.value, p.value, 0};
  if (!p.values.empty()) {
    colour.fill(0);
    std::copy_n(p.values.begin(), std::min(p.values.size(), kColourSize), colour.begin());
  }
  if (!is_integer(dtype)) return colour;
  const auto [least, largest] = integer_range(dtype);
  for (double& value : colour) value = std::clamp(std::nearbyint(value), least, largest);
  return colour;
}

void translate_colour_border(const BorderParam& p, Translation& t) {
  Builder& b = t.b;
  const auto colour = colour_of(p, t.input_type(0).dtype);
  const Dim& channels = t.input_shape(0)[2];
  const auto bordered = [&](Value x, double value) {
    return onnx::pad(b, x, {p.top, p.left, 0}, {p.bot, p.right, 0}, "constant", value);
  };
  const auto is_one = [&](std::size_t count) {
    return std::equal(colour.begin() + 1, colour.begin() + count, colour.begin());
  };
  if (is_one(kColourSize)) return t.set_output(0, bordered(t.input(0), colour[0]));
  if (!channels.is_constant()) {
    return t.refuse("needs a known number of channels for a colour of several numbers");
  }
  const auto count = static_cast<std::size_t>(channels.value());
  if (count > kColourSize) {
    return t.refuse("OpenCV takes no colour of several numbers for more than 4 channels");
  }
  if (is_one(count)) return t.set_output(0, bordered(t.input(0), colour[0]));
  std::vector<Value> parts = onnx::split(b, t.input(0), 2, std::vector<Dim>(count, Dim(1)));
  for (std::size_t i = 0; i < count; ++i) parts[i] = bordered(parts[i], colour[i]);
  t.set_output(0, b.concat(parts, 2));
}

void translate_border(const BorderParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat64 && dtype != DType::kUint8 &&
      dtype != DType::kInt32) {
    return t.refuse(fmt::format("OpenCV has no images of {}", dtype_name(dtype)));
  }
  if (p.type == BorderParam::kConstant) return translate_colour_border(p, t);
  Value x = t.input(0);
  for (const std::size_t axis : {0U, 1U}) {
    const std::int64_t before = axis == 0 ? p.top : p.left;
    const std::int64_t after = axis == 0 ? p.bot : p.right;
    if (before == 0 && after == 0) continue;
    const Dim& size = t.input_shape(0)[axis];
    if (p.type == BorderParam::kReplicate) {
      onnx::Ints low(3, 0);
      onnx::Ints high(3, 0);
      low[axis] = before;
      high[axis] = after;
      x = onnx::pad(b, x, low, high, "edge");
      continue;
    }
    if (!size.is_constant() || size.value() < 1) {
      return t.refuse("needs a known height and width for this type",
                      "give the input numbers for them");
    }
    std::vector<std::int64_t> indices;
    for (std::int64_t i = -before; i < size.value() + after; ++i) {
      indices.push_back(copied_from(i, size.value(), p.type));
    }
    x = b.gather(x, b.ints(indices), static_cast<std::int64_t>(axis));
  }
  t.set_output(0, x);
}

}  // namespace

void register_image_resize(Registry& r) {
  const char* const limits =
      "Nearest and linear interpolation only; linear ones of uint8 and float64 with known sizes.";
  r.add<ImageResizeParam>({"_image_resize", "_npx__image_resize"})
      .summary("Images resized as OpenCV does.")
      .infer(infer_image_resize)
      .translate([](const ImageResizeParam& p, Translation& t) { translate_resize(t, p.interp); })
      .check([](const ImageResizeParam& p, const CheckContext&) { return check_interp(p.interp); })
      .note("An element that is infinite or NaN makes NaN of pixels that it has no weight in, too.")
      .note(limits);
  r.add<CvResizeParam>({"_cvimresize", "_npi_cvimresize"})
      .summary("An image resized as OpenCV does.")
      .inputs({{"src", InputRole::kData}})
      .infer(infer_cv_resize)
      .translate([](const CvResizeParam& p, Translation& t) { translate_resize(t, p.interp); })
      .check([](const CvResizeParam& p, const CheckContext&) { return check_interp(p.interp); })
      .note("An element that is infinite or NaN makes NaN of pixels that it has no weight in, too.")
      .note(limits);
  r.add<BorderParam>({"_cvcopyMakeBorder"})
      .summary("An image with a border.")
      .inputs({{"src", InputRole::kData}})
      .infer(infer_border)
      .translate(translate_border)
      .note("Mirrored and repeated borders (types 2 to 4) of known sizes only.");
}

}  // namespace mx2onnx
