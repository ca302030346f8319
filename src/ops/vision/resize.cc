// Operators that make images larger or smaller.
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/numbered.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct UpSamplingParam {
  enum class SampleType { kNearest, kBilinear };
  enum class InputMode { kConcat, kSum };
  std::int64_t scale = 1;
  std::int64_t num_filter = 0;
  SampleType sample_type = SampleType::kNearest;
  InputMode multi_input_mode = InputMode::kConcat;
  std::int64_t num_args = 1;

  static void declare(AttrDeclarer<UpSamplingParam>& d) {
    d.field("scale", &UpSamplingParam::scale)
        .required()
        .at_least(1)
        .at_most(1 << 15)
        .help("factor of height and width");
    d.field("num_filter", &UpSamplingParam::num_filter)
        .at_least(0)
        .help("bilinear: number of channels");
    d.one_of("sample_type", &UpSamplingParam::sample_type, {"nearest", "bilinear"})
        .required()
        .help("bilinear: a transposed convolution of each channel with the weight");
    d.one_of("multi_input_mode", &UpSamplingParam::multi_input_mode, {"concat", "sum"})
        .help("what becomes of several inputs, each upsampled to the size of the first");
    d.field("num_args", &UpSamplingParam::num_args)
        .required()
        .at_least(1)
        .at_most(1 << 16)
        .help("number of inputs");
    d.ignore({"workspace"});
  }

  bool is_bilinear() const { return sample_type == SampleType::kBilinear; }
  // Of the transposed convolution (GetDeconvolutionParam).
  std::int64_t kernel() const { return 2 * scale - scale % 2; }
  std::int64_t pad() const { return scale / 2; }
};

std::vector<InputDef> upsampling_inputs(const UpSamplingParam& p) {
  if (p.is_bilinear()) return {{"data", InputRole::kData}, {"weight", InputRole::kWeight}};
  return numbered_inputs("arg", p.num_args);
}

// The channels of all inputs together.
Dim total_channels(const UpSamplingParam& p, const InferContext& c) {
  if (p.is_bilinear() || p.multi_input_mode == UpSamplingParam::InputMode::kSum) {
    return c.input_shape(0)[1];
  }
  Dim total = 0;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) total = total + c.input_shape(i)[1];
  return total;
}

void infer_upsampling(const UpSamplingParam& p, InferContext& c) {
  c.unify_dtypes();
  for (std::size_t i = 0; i < c.num_inputs(); ++i) c.set_input_shape(i, Shape::unknown_dims(4));
  const Shape first = c.input_shape(0);
  if (p.is_bilinear()) {
    c.set_input_shape(1, {p.num_filter, 1, p.kernel(), p.kernel()});
    c.set_input_shape(0, {{}, p.num_filter, {}, {}});
  } else {
    const bool is_sum = p.multi_input_mode == UpSamplingParam::InputMode::kSum;
    for (std::size_t i = 1; i < c.num_inputs(); ++i) {
      c.set_input_shape(i, {first[0], is_sum ? first[1] : Dim(), {}, {}});
    }
  }
  c.set_output_shape(0, {first[0], total_channels(p, c), first[2] * p.scale, first[3] * p.scale});
}

// The factor by which an axis grows, where it is a number.
std::optional<std::int64_t> factor(const Dim& from, const Dim& to) {
  const Dim quotient = floor_div(to, from);
  if (!quotient.is_constant() || !(from * quotient == to)) return std::nullopt;
  return quotient.value();
}

Value upsample_nearest(Translation& t, std::size_t i) {
  const Shape& from = t.input_shape(i);
  const Shape& to = t.output_shape(0);
  const auto high = factor(from[2], to[2]);
  const auto wide = factor(from[3], to[3]);
  if (high && wide && *high != *wide) {
    fail(
        ErrorCode::kModel,
        fmt::format("input 'arg{}' of shape {} would grow {} times in height and {} times in width",
                    i, from.to_string(), *high, *wide));
  }
  if (t.output_type(0).dtype != DType::kFloat64) {
    return onnx::resize(t.b, t.input(i), {to[2], to[3]}, "nearest",
                        onnx::ResizeCoordinates::kAsymmetric);
  }
  // ONNX Runtime has no kernel of Resize for doubles: each element becomes a block.
  if (!high) fail(ErrorCode::kUnsupported, "float64 needs a factor that is known");
  const Shape points{from[0], from[1], from[2], 1, from[3], 1};
  const Shape blocks{from[0], from[1], from[2], *high, from[3], *high};
  const Value expanded = onnx::expand(t.b, onnx::reshape(t.b, t.input(i), points), blocks);
  return onnx::reshape(t.b, expanded, {from[0], from[1], to[2], to[3]});
}

void translate_nearest(const UpSamplingParam& p, Translation& t) {
  std::vector<Value> parts;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) parts.push_back(upsample_nearest(t, i));
  if (p.multi_input_mode == UpSamplingParam::InputMode::kConcat) {
    return t.set_output(0, parts.size() == 1 ? parts[0] : t.b.concat(parts, 1));
  }
  Value sum = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) sum = t.b.add(sum, parts[i]);
  t.set_output(0, sum);
}

void translate_upsampling(const UpSamplingParam& p, Translation& t) {
  if (!expect_floating(t)) return;
  if (!p.is_bilinear()) return translate_nearest(p, t);
  t.set_output(0, t.b.emit("ConvTranspose", {t.input(0), t.input(1)},
                           {{"kernel_shape", onnx::Ints{p.kernel(), p.kernel()}},
                            {"strides", onnx::Ints{p.scale, p.scale}},
                            {"pads", onnx::Ints(4, p.pad())},
                            {"group", p.num_filter}},
                           t.output_type(0)));
}

std::vector<AttrProblem> check_upsampling(const UpSamplingParam& p, const CheckContext& /*c*/) {
  if (!p.is_bilinear() || p.num_filter > 0) return {};
  return {{"num_filter", "expected the number of channels for sample_type=bilinear, got 0", ""}};
}

struct BilinearResizeParam {
  enum class Mode { kSize, kOddScale, kLike, kToEvenDown, kToEvenUp, kToOddDown, kToOddUp };
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::optional<double> scale_height;
  std::optional<double> scale_width;
  Mode mode = Mode::kSize;
  bool align_corners = true;

  static void declare(AttrDeclarer<BilinearResizeParam>& d) {
    d.field("height", &BilinearResizeParam::height)
        .at_least(1)
        .at_most(kMostSize)
        .help("without a scale");
    d.field("width", &BilinearResizeParam::width)
        .at_least(1)
        .at_most(kMostSize)
        .help("without a scale");
    d.field("scale_height", &BilinearResizeParam::scale_height)
        .help("of the modes size and odd_scale");
    d.field("scale_width", &BilinearResizeParam::scale_width)
        .help("of the modes size and odd_scale");
    d.one_of(
         "mode", &BilinearResizeParam::mode,
         {"size", "odd_scale", "like", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up"})
        .help("how the size is found; like: that of a second input");
    d.field("align_corners", &BilinearResizeParam::align_corners)
        .help("the corners of both images lie on each other, not the edges of their pixels");
  }

  // MXNet holds the new size in 16 bits.
  static constexpr std::int64_t kMostSize = INT16_MAX;
};

std::vector<InputDef> bilinear_resize_inputs(const BilinearResizeParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}};
  if (p.mode == BilinearResizeParam::Mode::kLike) inputs.push_back({"like", InputRole::kData});
  return inputs;
}

std::vector<AttrProblem> check_bilinear_resize(const BilinearResizeParam& p,
                                               const CheckContext& /*context*/) {
  using Mode = BilinearResizeParam::Mode;
  const bool needs_height = p.mode == Mode::kOddScale;
  const bool needs_width = needs_height || (p.mode == Mode::kSize && p.scale_height.has_value());
  std::vector<AttrProblem> problems;
  if (needs_height && !p.scale_height) {
    problems.push_back({"scale_height", "expected a number, got None", ""});
  }
  if (needs_width && !p.scale_width) {
    problems.push_back({"scale_width", "expected a number as for scale_height, got None", ""});
  }
  return problems;
}

// size * scale, cut, as MXNet computes it: in float32. Of a free size only if that is exact for all
// sizes that 16 bits hold.
Dim scaled_size(const Dim& size, double scale) {
  const auto factor = static_cast<float>(scale);
  if (size.is_constant()) {
    const float scaled = factor * static_cast<float>(size.value());
    // Farther from 0 it is refused, whatever it is.
    constexpr auto kFar = static_cast<float>(4 * BilinearResizeParam::kMostSize);
    return std::isnan(scaled) ? -1 : static_cast<std::int64_t>(std::clamp(scaled, -kFar, kFar));
  }
  if (!size.known()) return size;
  for (std::int64_t divisor = 1; divisor <= 256; divisor *= 2) {
    const double numerator = static_cast<double>(factor) * static_cast<double>(divisor);
    if (numerator == std::floor(numerator) && std::abs(numerator) < 512) {
      return floor_div(size * static_cast<std::int64_t>(numerator), divisor);
    }
  }
  fail(ErrorCode::kUnsupported,
       fmt::format("cannot scale the free size {} by {} as MXNet rounds", size.to_string(), scale),
       "give the input a number for this size");
}

Dim resized(const BilinearResizeParam& p, const Dim& size, const std::optional<double>& scale,
            bool has_scale, std::int64_t given, const Dim& like) {
  using Mode = BilinearResizeParam::Mode;
  const Dim even = floor_div(size, 2) * 2;
  switch (p.mode) {
    case Mode::kSize:
      return has_scale ? scaled_size(size, scale.value_or(1)) : Dim(given);
    case Mode::kOddScale:
      return scaled_size(even, scale.value_or(1)) + (size - even);
    case Mode::kLike:
      return like;
    case Mode::kToEvenDown:
      return even;
    case Mode::kToEvenUp:
      return ceil_div(size, 2) * 2;
    case Mode::kToOddDown:
      return ceil_div(size, 2) * 2 - 1;
    case Mode::kToOddUp:
      return even + 1;
  }
  return {};
}

void infer_bilinear_resize(const BilinearResizeParam& p, InferContext& c) {
  c.unify_dtypes();
  // MXNet looks at the number of dimensions only where there are elements.
  const bool may_have_more = c.num_inputs() == 1 && c.input_shape(0).rank() > 4;
  for (std::size_t i = 0; i < c.num_inputs() && !may_have_more; ++i) {
    c.set_input_shape(i, Shape::unknown_dims(4));
  }
  const Shape& from = c.input_shape(0);
  const Shape like = c.num_inputs() > 1 ? c.input_shape(1) : Shape::unknown_dims(4);
  // MXNet asks for scale_height where scale_width is meant.
  const bool has_scale = p.scale_height.has_value();
  Shape to = from;
  to[2] = resized(p, from[2], p.scale_height, has_scale, p.height, like[2]);
  to[3] = resized(p, from[3], p.scale_width, has_scale, p.width, like[3]);
  for (const Dim& size : {to[2], to[3]}) {
    if (size.is_constant() && (size.value() < 0 || size.value() > BilinearResizeParam::kMostSize)) {
      c.fail_input(0, fmt::format("sizes that give 0 to {}, not {}", BilinearResizeParam::kMostSize,
                                  size.value()));
    }
  }
  if (may_have_more && !to.is_empty()) c.set_input_shape(0, Shape::unknown_dims(4));
  c.set_output_shape(0, to);
}

// Along one axis, for each pixel of the result: the two pixels of the image around it, and the
// weight of the second one. MXNet computes places in float32.
struct Between {
  Value first;
  Value second;
  Value weight;
};

Between pixels_between(onnx::Builder& b, const Dim& from, const Dim& to, bool align_corners) {
  constexpr DType kFloat = DType::kFloat32;
  const auto number = [&](const Dim& size) { return b.cast(onnx::size_tensor(b, size), kFloat); };
  const Value one = b.scalar(kFloat, 1);
  const Value above = align_corners ? number(from - 1) : number(from);
  const Value below = align_corners ? b.binary("Max", number(to - 1), one) : number(to);
  Value scale = b.div(above, below);
  scale = b.where(b.binary("Greater", number(to), one), scale, b.scalar(kFloat, 0));
  const Value index = counting(b, to);
  Value place;
  if (align_corners) {
    place = b.mul(b.cast(index, kFloat), scale);
  } else {
    const Value half = b.scalar(DType::kFloat64, 0.5);
    const Value center = b.add(b.cast(index, DType::kFloat64), half);
    const Value exact = b.sub(b.mul(b.cast(scale, DType::kFloat64), center), half);
    place = b.binary("Max", b.cast(exact, kFloat), b.scalar(kFloat, 0));
  }
  const Value floor = b.unary("Floor", place);
  const Value first = b.cast(floor, DType::kInt64);
  const Value last = onnx::size_tensor(b, from - 1);
  return {first, b.binary("Min", b.add(first, b.int_scalar(1)), last), b.sub(place, floor)};
}

Value interpolate(onnx::Builder& b, Value x, const Between& between, std::int64_t axis) {
  const DType dtype = b.dtype(x);
  const Value weight =
      along_axis(b, b.cast(between.weight, dtype), static_cast<std::size_t>(axis), 4);
  const Value rest = b.sub(b.scalar(dtype, 1), weight);
  return b.add(b.mul(rest, b.gather(x, between.first, axis)),
               b.mul(weight, b.gather(x, between.second, axis)));
}

void translate_bilinear_resize(const BilinearResizeParam& p, Translation& t) {
  const Shape& to = t.output_shape(0);
  if (!expect_floating(t)) return;
  if (t.input_shape(0) == to) return t.set_output(0, t.input(0));
  if (t.output_type(0).dtype == DType::kFloat64) {
    // ONNX Runtime has no kernel.
    const Shape& from = t.input_shape(0);
    Value result = t.input(0);
    for (const std::size_t axis : {3U, 2U}) {
      const Between between = pixels_between(t.b, from[axis], to[axis], p.align_corners);
      result = interpolate(t.b, result, between, static_cast<std::int64_t>(axis));
    }
    return t.set_output(0, result);
  }
  t.set_output(0, onnx::resize(t.b, t.input(0), {to[2], to[3]}, "linear",
                               p.align_corners ? onnx::ResizeCoordinates::kAlignCorners
                                               : onnx::ResizeCoordinates::kPytorchHalfPixel));
}

}  // namespace

void register_resize(Registry& r) {
  r.add<UpSamplingParam>({"UpSampling"})
      .summary("Images enlarged by a whole factor.")
      .inputs_by(upsampling_inputs)
      .infer(infer_upsampling)
      .translate(translate_upsampling)
      .check(check_upsampling);
  r.add<BilinearResizeParam>({"_contrib_BilinearResize2D"})
      .summary("Images resized by bilinear interpolation.")
      .inputs_by(bilinear_resize_inputs)
      .infer(infer_bilinear_resize)
      .translate(translate_bilinear_resize)
      .check(check_bilinear_resize)
      .note("An element that is infinite or NaN makes NaN of pixels that it has no weight in, too.")
      .note("A free size is scaled only by factors that are exact in float32, such as 2 or 0.5.");
}

}  // namespace mx2onnx
