// Images before they go into a network: to_tensor, normalize, crop, flips, lighting
// (src/operator/image/image_random-inl.h, crop-inl.h). Height, width and channels are the last
// axes.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/vision/image.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// MXNet computes in float32, but doubles in float64.
DType computing(DType dtype) { return dtype == DType::kFloat64 ? dtype : DType::kFloat32; }

// Cut to the dtype as C++ does; 8-bit integers by way of int32.
Value cut_to(Builder& b, Value x, DType dtype) {
  const bool narrow = is_integer(dtype) && dtype_size(dtype) == 1;
  return b.cast(narrow ? b.cast(x, DType::kInt32) : x, dtype);
}

void check_image_rank(InferContext& c, bool batches) {
  const Shape& image = c.input_shape(0);
  if (!image.known_rank() || image.rank() == 3 || (batches && image.rank() == 4)) return;
  c.fail_input(0, batches ? "3 or 4 dimensions" : "3 dimensions");
}

void infer_to_tensor(const NoParam& /*p*/, InferContext& c) {
  c.set_output_dtype(0, DType::kFloat32);
  check_image_rank(c, true);
  const Shape& image = c.input_shape(0);
  if (!image.known_rank()) return;
  auto dims = image.dims();
  std::rotate(dims.end() - 3, dims.end() - 1, dims.end());
  c.set_output_shape(0, Shape(std::move(dims)));
}

void translate_to_tensor(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const std::size_t rank = t.input_rank(0);
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const Value first = b.transpose(t.input(0), move_perm(rank, rank - 1, rank - 3));
  const Value scaled = b.div(b.cast(first, computing(dtype)), b.scalar(computing(dtype), 255));
  // A quotient of float16 is rounded to that first.
  const bool half = dtype == DType::kFloat16;
  t.set_output(0, b.cast(half ? b.cast(scaled, dtype) : scaled, DType::kFloat32));
}

struct NormalizeParam {
  FloatTuple mean{0, 0, 0, 0};
  FloatTuple std{1, 1, 1, 1};
  static void declare(AttrDeclarer<NormalizeParam>& d) {
    d.field("mean", &NormalizeParam::mean).help("of each channel, or one number");
    d.field("std", &NormalizeParam::std).help("of each channel, or one number");
  }
};

void infer_normalize(const NormalizeParam& p, InferContext& c) {
  c.unify_dtypes();
  c.unify_shapes();
  check_image_rank(c, true);
  const Shape& image = c.input_shape(0);
  if (!image.known_rank()) return;
  const Dim& channels = image[image.rank() - 3];
  if (!channels.is_constant()) return;
  if (channels.value() != 1 && channels.value() != 3) c.fail_input(0, "1 or 3 channels");
  const auto check = [&](std::string_view name, const FloatTuple& values) {
    const auto size = static_cast<std::int64_t>(values.size());
    if (size == 1 || size == channels.value()) return;
    const ErrorScope scope = ErrorScope::attribute(name);
    fail(ErrorCode::kModel,
         fmt::format("expected 1 or {} numbers, got {}", channels.value(), values.size()));
  };
  check("mean", p.mean);
  check("std", p.std);
}

void translate_normalize(const NormalizeParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (dtype == DType::kBool) return t.refuse("MXNet does not compute this on bool");
  const auto per_channel = [&](const FloatTuple& values) {
    std::vector<double> rounded;
    for (const double value : values) rounded.push_back(static_cast<float>(value));
    const auto count = static_cast<std::int64_t>(values.size());
    return b.constant(make_tensor_as(computing(dtype), {count, 1, 1}, rounded));
  };
  Value x = b.sub(b.cast(t.input(0), computing(dtype)), per_channel(p.mean));
  if (dtype == DType::kFloat16) x = b.cast(b.cast(x, dtype), DType::kFloat32);
  t.set_output(0, cut_to(b, b.div(x, per_channel(p.std)), dtype));
}

struct CropParam {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
  static void declare(AttrDeclarer<CropParam>& d) {
    // MXNet takes negative ones, and reads what lies before the image.
    d.field("x", &CropParam::x).required().at_least(0).at_most(kMost).help("first column");
    d.field("y", &CropParam::y).required().at_least(0).at_most(kMost).help("first row");
    d.field("width", &CropParam::width).required().at_least(1).at_most(kMost).help("columns");
    d.field("height", &CropParam::height).required().at_least(1).at_most(kMost).help("rows");
  }
  static constexpr double kMost = INT32_MAX;
};

void infer_crop(const CropParam& p, InferContext& c) {
  c.unify_dtypes();
  check_image_rank(c, true);
  Shape image = c.input_shape(0);
  if (!image.known_rank()) return;
  const std::size_t rank = image.rank();
  const Dim& channels = image[rank - 1];
  if (channels.is_constant() && channels.value() != 1 && channels.value() != 3) {
    c.fail_input(0, "1 or 3 channels in the last axis");
  }
  const auto fits = [](const Dim& size, std::int64_t end) {
    return !size.is_constant() || end <= size.value();
  };
  if (!fits(image[rank - 3], p.y + p.height) || !fits(image[rank - 2], p.x + p.width)) {
    c.fail_input(0, fmt::format("at least {} rows and {} columns", p.y + p.height, p.x + p.width));
  }
  image[rank - 3] = p.height;
  image[rank - 2] = p.width;
  c.set_output_shape(0, image);
}

void translate_crop(const CropParam& p, Translation& t) {
  if (t.input_shape(0) == t.output_shape(0)) return t.set_output(0, t.input(0));
  const auto rows = static_cast<std::int64_t>(t.input_rank(0)) - 3;
  t.set_output(
      0, onnx::slice(t.b, t.input(0), {{rows, p.y, p.y + p.height}, {rows + 1, p.x, p.x + p.width}},
                     t.output_shape(0)));
}

struct LightingParam {
  FloatTuple alpha;
  static void declare(AttrDeclarer<LightingParam>& d) {
    d.field("alpha", &LightingParam::alpha)
        .required()
        .help("of the three principal components; further numbers do not matter");
  }
};

void infer_lighting(InferContext& c) {
  infer_image(c);
  if (!c.input_shape(0).known_rank()) return;
  const Dim& channels = c.input_shape(0)[2];
  if (channels.is_constant() && channels.value() != 3) {
    c.fail_input(0, "3 channels in the last axis");
  }
}

// In float32 at each step, as MXNet does.
Value lighting(Builder& b, const FloatTuple& alpha) {
  std::vector<float> sums;
  for (std::size_t row = 0; row < 3; ++row) {
    float sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      sum += static_cast<float>(kColourComponents[3 * row + i]) * static_cast<float>(alpha[i]);
    }
    sums.push_back(sum);
  }
  return b.constant(make_tensor({3}, sums));
}

void translate_lighting(const LightingParam& p, Translation& t) {
  Builder& b = t.b;
  const Value lit = b.add(b.cast(t.input(0), DType::kFloat32), lighting(b, p.alpha));
  t.set_output(0, saturated(b, lit, t.output_type(0).dtype));
}

}  // namespace

void infer_image(InferContext& c) {
  c.unify_dtypes();
  c.unify_shapes();
  check_image_rank(c, false);
}

Value flipped(Builder& b, Value x, std::int64_t axis) {
  return onnx::slice(b, x, {{axis, onnx::kSliceEnd, onnx::kSliceBegin, -1}}, b.shape(x));
}

Value saturated(Builder& b, Value x, DType dtype) {
  return cut_to(b, dtype == DType::kUint8 ? onnx::clip(b, x, 0, 255) : x, dtype);
}

void register_image(Registry& r) {
  r.add<NoParam>({"_image_to_tensor", "_npx__image_to_tensor"})
      .summary("Channels first, and 255 becomes 1.")
      .infer(infer_to_tensor)
      .translate(translate_to_tensor);
  r.add<NormalizeParam>({"_image_normalize", "_npx__image_normalize"})
      .summary("Each channel less its mean, divided by its standard deviation.")
      .infer(infer_normalize)
      .translate(translate_normalize);
  r.add<CropParam>({"_image_crop", "_npx__image_crop"})
      .summary("A rectangle of an image.")
      .infer(infer_crop)
      .translate(translate_crop);
  for (const std::int64_t axis : {0, 1}) {
    const std::string name = axis == 0 ? "flip_top_bottom" : "flip_left_right";
    r.add<NoParam>({"_image_" + name, "_npx__image_" + name})
        .summary(axis == 0 ? "An image upside down." : "The mirror image.")
        .infer([](const NoParam&, InferContext& c) { infer_image(c); })
        .translate([axis](const NoParam&, Translation& t) {
          t.set_output(0, flipped(t.b, t.input(0), axis));
        })
        .note(std::string(kMiddleNote));
  }
  r.add<LightingParam>({"_image_adjust_lighting", "_npx__image_adjust_lighting"})
      .summary("Colours shifted along their principal components.")
      .infer([](const LightingParam&, InferContext& c) { infer_lighting(c); })
      .translate(translate_lighting)
      .check([](const LightingParam& p, const CheckContext&) -> std::vector<AttrProblem> {
        if (p.alpha.size() >= 3) return {};
        return {{"alpha", fmt::format("expected 3 numbers, got {}", p.alpha.size()), ""}};
      })
      .note("Of three channels only; of one, MXNet does not write its result.");
}

}  // namespace mx2onnx
