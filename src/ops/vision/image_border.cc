// Images bordered by OpenCV: _cvcopyMakeBorder (src/io/image_io.cc; OpenCV 3.4.2,
// modules/core/src/copy.cpp). Height, width and channels are the axes.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/budget.h"
#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr double kMostSize = 1 << 20;

struct BorderParam {
  enum Type : std::int64_t { kConstant, kReplicate, kReflect, kWrap, kReflect101 };
  std::int64_t top = 0;
  std::int64_t bot = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;
  std::int64_t type = kConstant;
  double value = 0;
  std::optional<FloatTuple> values = FloatTuple();

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
  if (p.values && !p.values->empty()) {
    colour.fill(0);
    std::copy_n(p.values->begin(), std::min(p.values->size(), kColourSize), colour.begin());
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
    spend_elements(size.value() + before + after);
    std::vector<std::int64_t> indices;
    for (std::int64_t i = -before; i < size.value() + after; ++i) {
      indices.push_back(copied_from(i, size.value(), p.type));
    }
    x = b.gather(x, b.ints(indices), static_cast<std::int64_t>(axis));
  }
  t.set_output(0, x);
}

}  // namespace

void register_image_border(Registry& r) {
  r.add<BorderParam>({"_cvcopyMakeBorder"})
      .summary("An image with a border.")
      .inputs({{"src", InputRole::kData}})
      .infer(infer_border)
      .translate(translate_border)
      .note("Mirrored and repeated borders (types 2 to 4) of known sizes only.");
}

}  // namespace mx2onnx
