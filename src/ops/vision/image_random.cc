// Images changed at random (src/operator/image/image_random-inl.h): flips, brightness, contrast,
// saturation, hue, lighting. One change is drawn for the whole image.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/random_draws.h"
#include "ops/expressions/stepwise.h"
#include "ops/vision/image.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr std::size_t kRed = 0;
constexpr std::size_t kGreen = 1;
constexpr std::size_t kBlue = 2;
const Shape& scalar_shape() {
  static const Shape shape{std::vector<Dim>{}};
  return shape;
}

// A number of [low, high).
Value drawn_factor(Builder& b, float low, float high) {
  const auto real = [&](float value) { return b.scalar(DType::kFloat32, value); };
  if (low == high) return real(low);
  return Draws(b, scalar_shape(), DType::kFloat32).uniform(real(low), real(high));
}

// Adjustments of an image by a factor, to the image's dtype.
using Adjustment = Value (*)(Builder& b, Value image, Value factor);

Value as_float(Builder& b, Value image) { return b.cast(image, DType::kFloat32); }
Value real(Builder& b, double value) { return b.scalar(DType::kFloat32, value); }
bool is_gray(const Builder& b, Value image) { return b.shape(image)[2] == Dim(1); }

// As C++ has the result of float16 with a float, which is float16, and of other types with one.
Value as_computed(Builder& b, Value x, Value image) {
  return b.dtype(image) == DType::kFloat16 ? Stepwise(b, DType::kFloat16).rounded(x) : x;
}

Value with_brightness(Builder& b, Value image, Value factor) {
  return saturated(b, b.mul(as_float(b, image), factor), b.dtype(image));
}

Value weights_of_gray(Builder& b) {
  return b.constant(make_tensor<float>({3}, {0.299F, 0.587F, 0.114F}));
}

// Towards the mean gray.
Value with_contrast(Builder& b, Value image, Value factor) {
  const Value x = as_float(b, image);
  const Value gray = is_gray(b, image) ? x : as_computed(b, b.mul(x, weights_of_gray(b)), image);
  const Value sum = onnx::reduce(b, "ReduceSum", gray, {0, 1, 2}, false);
  const auto& shape = b.shape(image);
  const Value count = b.cast(
      onnx::reshape(b, onnx::size_tensor(b, shape[0] * shape[1]), scalar_shape()), DType::kFloat32);
  const Value rest = b.mul(b.sub(real(b, 1), factor), b.div(sum, count));
  return saturated(b, b.add(as_computed(b, b.mul(x, factor), image), rest), b.dtype(image));
}

std::vector<Value> channels_of(Builder& b, Value x) {
  return onnx::split(b, x, 2, std::vector<Dim>(3, Dim(1)));
}

// Towards what MXNet takes for gray: the blue channel alone, for it forgets to add the others.
Value with_saturation(Builder& b, Value image, Value factor) {
  if (is_gray(b, image)) return image;
  const Value x = as_float(b, image);
  const Value gray = as_computed(b, b.mul(channels_of(b, x)[kBlue], real(b, 0.114F)), image);
  const Value rest = b.mul(gray, b.sub(real(b, 1), factor));
  return saturated(b, b.add(rest, as_computed(b, b.mul(x, factor), image)), b.dtype(image));
}

struct Hls {
  Value hue, lightness, saturation;
};

// RGB2HLSConvert: hue in degrees.
Hls hls_of(Builder& b, const std::vector<Value>& rgb) {
  const Value r = rgb[kRed];
  const Value g = rgb[kGreen];
  const Value blue = rgb[kBlue];
  const Value most = b.emit("Max", {r, g, blue}, {}, b.type(r));
  const Value least = b.emit("Min", {r, g, blue}, {}, b.type(r));
  const Value range = b.sub(most, least);
  const Value sum = b.add(most, least);
  const Value lightness = b.mul(sum, real(b, 0.5));
  const Value is_coloured = b.binary("Greater", range, real(b, 1.1920929e-07));
  const Value is_dark = b.binary("Less", lightness, real(b, 0.5));
  // MXNet's 2 - most - least.
  const Value rest = b.sub(b.sub(real(b, 2), most), least);
  const Value saturation = b.div(range, b.where(is_dark, sum, rest));
  const Value per_range = b.div(real(b, 60), range);
  const auto sector = [&](Value from, Value to, double begin) {
    return b.add(b.mul(b.sub(from, to), per_range), real(b, begin));
  };
  const Value of_green_or_blue =
      b.where(b.binary("Equal", most, g), sector(blue, r, 120), sector(r, g, 240));
  const Value hue = b.where(b.binary("Equal", most, r), sector(g, blue, 0), of_green_or_blue);
  const Value is_negative = b.binary("Less", hue, real(b, 0));
  const Value turned = b.add(hue, b.where(is_negative, real(b, 360), real(b, 0)));
  return {b.where(is_coloured, turned, real(b, 0)), lightness,
          b.where(is_coloured, saturation, real(b, 0))};
}

// HLS2RGBConvert: the channels joined, up to 1.
Value rgb_of(Builder& b, const Hls& x) {
  const Value l = x.lightness;
  const Value s = x.saturation;
  const Value is_dark = b.binary("LessOrEqual", l, real(b, 0.5));
  const Value dark = b.mul(l, b.add(real(b, 1), s));
  const Value light = b.sub(b.add(l, s), b.mul(l, s));
  const Value high = b.where(is_dark, dark, light);
  const Value low = b.sub(b.mul(l, real(b, 2)), high);
  const Value sixths = b.mul(x.hue, real(b, 1.0F / 60.0F));
  const Value turns = b.unary("Floor", b.div(sixths, real(b, 6)));
  const Value h = b.sub(sixths, b.mul(turns, real(b, 6)));
  const Value sector = onnx::clip(b, b.unary("Floor", h), 0, 5);
  const Value part = b.sub(h, sector);
  const Value range = b.sub(high, low);
  const Value falling = b.add(low, b.mul(range, b.sub(real(b, 1), part)));
  const Value rising = b.add(low, b.mul(range, part));
  const Value table = b.concat({high, low, falling, rising}, 2);
  // Of each sector, which of these four is red, green and blue.
  const Value places = b.constant(
      make_tensor<std::int64_t>({6, 3}, {0, 3, 1, 2, 0, 1, 1, 0, 3, 1, 2, 0, 3, 1, 0, 0, 1, 2}));
  const Value number = onnx::squeeze(b, b.cast(sector, DType::kInt64), {2});
  const Value chosen = b.gather(places, number, 0);
  const auto& shape = b.shape(l);
  const Value colours = b.emit("GatherElements", {table, chosen}, {{"axis", 2}},
                               {DType::kFloat32, Shape{shape[0], shape[1], Dim(3)}});
  return b.where(b.binary("Equal", s, real(b, 0)), l, colours);
}

// The factor is a part of a turn.
Value with_hue(Builder& b, Value image, Value factor) {
  const Value scaled = b.div(as_float(b, image), real(b, 255));
  Hls x = hls_of(b, channels_of(b, scaled));
  x.hue = b.add(x.hue, b.mul(factor, real(b, 360)));
  return saturated(b, b.mul(rgb_of(b, x), real(b, 255)), b.dtype(image));
}

// False after a refusal.
bool expect_image(Translation& t, bool colours) {
  if (t.input_type(0).dtype == DType::kBool) {
    t.refuse("MXNet does not compute this on bool");
    return false;
  }
  const Dim& channels = t.input_shape(0)[2];
  if (channels == Dim(3) || (channels == Dim(1) && !colours)) return true;
  t.refuse(fmt::format("expected {}3 channels in the last axis, found shape {}",
                       colours ? "" : "1 or ", t.input_shape(0).to_string()),
           colours ? "of one channel MXNet does not write its result" : "");
  return false;
}

struct EnhanceParam {
  double min_factor = 0;
  double max_factor = 0;
  static void declare(AttrDeclarer<EnhanceParam>& d) {
    d.field("min_factor", &EnhanceParam::min_factor).required().at_least(0).help("least factor");
    d.field("max_factor", &EnhanceParam::max_factor).required().at_least(0).help("largest factor");
  }
};

std::vector<AttrProblem> check_enhance(const EnhanceParam& p, const CheckContext& /*c*/) {
  if (p.min_factor <= p.max_factor) return {};
  return {{"max_factor", "expected min_factor or more", ""}};
}

template <Adjustment kAdjust, bool kColours>
void translate_enhance(const EnhanceParam& p, Translation& t) {
  if (!expect_image(t, kColours)) return;
  if (p.min_factor != p.max_factor) warn_of_draws(t);
  const Value factor =
      drawn_factor(t.b, static_cast<float>(p.min_factor), static_cast<float>(p.max_factor));
  t.set_output(0, kAdjust(t.b, t.input(0), factor));
}

struct JitterParam {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
  static void declare(AttrDeclarer<JitterParam>& d) {
    d.field("brightness", &JitterParam::brightness).required().help("how much it changes");
    d.field("contrast", &JitterParam::contrast).required().help("how much it changes");
    d.field("saturation", &JitterParam::saturation).required().help("how much it changes");
    d.field("hue", &JitterParam::hue).required().help("how much it changes");
  }
};

// The adjustments in any order, which is drawn: at each step all are made and one is taken.
void translate_jitter(const JitterParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_image(t, p.hue > 0)) return;
  struct Change {
    Adjustment adjust;
    double most;
    float centre;
  };
  std::vector<std::pair<Adjustment, Value>> changes;
  for (const auto& [adjust, most, centre] :
       {Change{with_brightness, p.brightness, 1}, Change{with_contrast, p.contrast, 1},
        Change{with_saturation, p.saturation, 1}, Change{with_hue, p.hue, 0}}) {
    const auto width = static_cast<float>(most);
    if (width > 0) changes.emplace_back(adjust, drawn_factor(b, centre - width, centre + width));
  }
  if (changes.empty()) return t.refuse("MXNet does not write its result where nothing changes");
  warn_of_draws(t);
  const Dim count(static_cast<std::int64_t>(changes.size()));
  const Value keys = Draws(b, Shape{count}, DType::kFloat64).unit();
  const Value order = onnx::top_k(b, keys, count, 0, true).second;
  Value image = t.input(0);
  for (std::size_t step = 0; step < changes.size(); ++step) {
    const Value now = b.gather(order, b.int_scalar(static_cast<std::int64_t>(step)), 0);
    Value next = changes[0].first(b, image, changes[0].second);
    for (std::size_t i = 1; i < changes.size(); ++i) {
      const Value is_it = b.binary("Equal", now, b.int_scalar(static_cast<std::int64_t>(i)));
      next = b.where(is_it, changes[i].first(b, image, changes[i].second), next);
    }
    image = next;
  }
  t.set_output(0, image);
}

struct RandomLightingParam {
  double alpha_std = 0.05;
  static void declare(AttrDeclarer<RandomLightingParam>& d) {
    d.field("alpha_std", &RandomLightingParam::alpha_std)
        .at_least(0)
        .help("deviation of the factors of the three principal components");
  }
};

void translate_lighting(const RandomLightingParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_image(t, true)) return;
  warn_of_draws(t);
  const Value alpha = Draws(b, Shape{Dim(3)}, DType::kFloat32)
                          .normal(real(b, 0), real(b, static_cast<float>(p.alpha_std)));
  const std::vector<double> components(kColourComponents.begin(), kColourComponents.end());
  const Value matrix = b.constant(make_tensor_as(DType::kFloat32, {3, 3}, components));
  const Value light = b.emit("MatMul", {matrix, alpha}, {}, b.type(alpha));
  const Value lit = b.add(as_float(b, t.input(0)), light);
  t.set_output(0, saturated(b, lit, t.output_type(0).dtype));
}

struct RandomFlipParam {
  double p = 0.5;
  static void declare(AttrDeclarer<RandomFlipParam>& d) {
    d.field("p", &RandomFlipParam::p)
        .help("an image stays where a normal number is above it: not the chance of flipping");
  }
  // A comparison with NaN is false.
  double chance_of_staying() const { return std::isnan(p) ? 0 : std::erfc(p / std::sqrt(2)) / 2; }
};

void translate_random_flip(Translation& t, std::int64_t axis, double chance_of_staying) {
  Builder& b = t.b;
  warn_of_draws(t);
  const Value unit = Draws(b, scalar_shape(), DType::kFloat32).unit();
  const Value stays = b.binary("Less", unit, real(b, static_cast<float>(chance_of_staying)));
  t.set_output(0, b.where(stays, t.input(0), flipped(b, t.input(0), axis)));
}

template <Adjustment kAdjust, bool kColours>
void add_enhancement(Registry& r, const std::string& what, const char* summary) {
  r.add<EnhanceParam>({"_image_random_" + what, "_npx__image_random_" + what})
      .summary(summary)
      .infer([](const EnhanceParam&, InferContext& c) { infer_image(c); })
      .check(check_enhance)
      .translate(translate_enhance<kAdjust, kColours>)
      .note(std::string(kSeedNote));
}

}  // namespace

void register_image_random(Registry& r) {
  for (const std::int64_t axis : {0, 1}) {
    const std::string name = axis == 0 ? "flip_top_bottom" : "flip_left_right";
    r.add<NoParam>({"_image_random_" + name, "_npx__image_random_" + name})
        .summary(axis == 0 ? "An image, half of the times upside down."
                           : "An image, half of the times its mirror image.")
        .infer([](const NoParam&, InferContext& c) { infer_image(c); })
        .translate([axis](const NoParam&, Translation& t) { translate_random_flip(t, axis, 0.5); })
        .note(std::string(kSeedNote))
        .note(std::string(kMiddleNote))
        .variant<RandomFlipParam>(
            OriginRange::since(2, 0), "p makes it turn at other chances", [axis](auto& variant) {
              variant.infer([](const RandomFlipParam&, InferContext& c) { infer_image(c); })
                  .translate([axis](const RandomFlipParam& p, Translation& t) {
                    translate_random_flip(t, axis, p.chance_of_staying());
                  })
                  .note(std::string(kSeedNote))
                  .note(std::string(kMiddleNote));
            });
  }
  add_enhancement<with_brightness, false>(r, "brightness", "A brighter or darker image.");
  add_enhancement<with_contrast, false>(r, "contrast",
                                        "An image nearer to its mean gray or further.");
  add_enhancement<with_saturation, false>(r, "saturation", "An image with more or less colour.");
  add_enhancement<with_hue, true>(r, "hue", "An image with other hues.");
  r.add<JitterParam>({"_image_random_color_jitter", "_npx__image_random_color_jitter"})
      .summary("An image with another brightness, contrast, saturation and hue, in any order.")
      .infer([](const JitterParam&, InferContext& c) { infer_image(c); })
      .translate(translate_jitter)
      .note(std::string(kSeedNote));
  r.add<RandomLightingParam>({"_image_random_lighting", "_npx__image_random_lighting"})
      .summary("Colours shifted at random along their principal components.")
      .infer([](const RandomLightingParam&, InferContext& c) { infer_image(c); })
      .translate(translate_lighting)
      .note(std::string(kSeedNote));
}

}  // namespace mx2onnx
