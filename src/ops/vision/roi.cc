// Regions of interest: _contrib_ROIAlign, ROIPooling and _contrib_RROIAlign
// (src/operator/contrib/roi_align.cc, src/operator/roi_pooling.cc,
// src/operator/contrib/rroi_align.cc). The first two compute as ONNX's RoiAlign and MaxRoiPool do,
// and become a loop where these are missing, as the third does always.
#include <fmt/format.h>

#include "base/budget.h"
#include "base/checked.h"
#include "base/error.h"
#include "onnx/kernels.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/vision/roi_loop.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct RoiPoolingParam {
  Tuple pooled_size;
  double spatial_scale = 0;

  static void declare(AttrDeclarer<RoiPoolingParam>& d) { declare_common(d); }
  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("pooled_size", &P::pooled_size)
        .required()
        .sizes(2, 2)
        .at_least(1)
        .help("height and width of the result");
    d.field("spatial_scale", &P::spatial_scale)
        .required()
        .at_least(0)
        .at_most(1)
        .help("size of the feature map by that of the image");
  }
};

struct RoiAlignParam : RoiPoolingParam {
  std::int64_t sample_ratio = -1;
  bool position_sensitive = false;
  bool aligned = false;

  static void declare(AttrDeclarer<RoiAlignParam>& d) {
    declare_common(d);
    d.field("sample_ratio", &RoiAlignParam::sample_ratio)
        .help("points per bin and axis; not positive: as many as the bin has pixels");
    d.field("position_sensitive", &RoiAlignParam::position_sensitive)
        .help("each bin has channels of its own");
    d.field("aligned", &RoiAlignParam::aligned).help("pixels are where their centers are");
  }
};

struct RotatedRoiAlignParam : RoiPoolingParam {
  std::int64_t sampling_ratio = -1;

  static void declare(AttrDeclarer<RotatedRoiAlignParam>& d) {
    declare_common(d);
    d.field("sampling_ratio", &RotatedRoiAlignParam::sampling_ratio)
        .help("points per bin and axis; not positive: as many as the bin has pixels");
  }
};

void infer_rois(const RoiPoolingParam& p, InferContext& c, std::int64_t channels_per_output,
                std::int64_t columns = 5) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (data.known_rank() && data.rank() != 4) c.fail_input(0, "4 dimensions");
  c.set_input_shape(1, Shape{Dim(), columns});
  if (!data.known_rank() || !c.input_shape(1).known_rank()) return;
  const Dim channels = channels_per_output == 1 ? data[1] : floor_div(data[1], channels_per_output);
  c.set_output_shape(0, Shape{c.input_shape(1)[0], channels, p.pooled_size[0], p.pooled_size[1]});
}

std::int64_t num_bins(const RoiPoolingParam& p) {
  return checked_mul(p.pooled_size[0], p.pooled_size[1]);
}

void infer_roi_align(const RoiAlignParam& p, InferContext& c) {
  infer_rois(p, c, p.position_sensitive ? num_bins(p) : 1);
}

// The regions of images that there are, taken apart.
struct Regions {
  Value image;    // int64 (n)
  Value corners;  // (n, 4)
};

// Regions without an image give 0 in MXNet, and are an error in ONNX. A region far from every image
// gives 0 in both.
Regions regions(Builder& b, Value rois, const Dim* num_images) {
  constexpr double kFarAway = -6e4;  // A number of float16 too.
  const Dim& count = b.shape(rois)[0];
  const Value first = onnx::slice(b, rois, {{1, 0, 1}}, Shape{count, 1});
  const Value corners = onnx::slice(b, rois, {{1, 1, 5}}, Shape{count, 4});
  const Value image = b.cast(first, DType::kInt64);
  Value missing = b.binary("Less", image, b.int_scalar(0));
  if (num_images != nullptr) {
    const Value too_large =
        b.unary("Not", b.binary("Less", image, onnx::size_tensor(b, *num_images)));
    missing = b.binary("Or", missing, too_large);
  }
  const Value far_away = b.scalar(b.dtype(rois), kFarAway);
  return {onnx::squeeze(b, b.where(missing, b.int_scalar(0), image), {1}),
          b.where(missing, far_away, corners)};
}

// ONNX's RoiAlign.
Value native_roi_align(const RoiAlignParam& p, Translation& t) {
  Builder& b = t.b;
  const auto [image, corners] = regions(b, t.input(1), nullptr);
  onnx::Attributes attrs = {{"output_height", p.pooled_size[0]},
                            {"output_width", p.pooled_size[1]},
                            {"sampling_ratio", std::max<std::int64_t>(p.sample_ratio, 0)},
                            {"spatial_scale", p.spatial_scale}};
  onnx::set_roi_coordinates(b, attrs, p.aligned);
  Shape aligned = t.output_shape(0);
  aligned[1] = t.input_shape(0)[1];
  return b.emit("RoiAlign", {t.input(0), corners, image}, attrs, {t.input_type(0).dtype, aligned});
}

void translate_roi_align(const RoiAlignParam& p, Translation& t) {
  Builder& b = t.b;
  Value bins = onnx::runs_roi_align(b, p.aligned)
                   ? native_roi_align(p, t)
                   : average_points(t, {p.pooled_size, p.spatial_scale, p.sample_ratio, p.aligned});
  if (p.position_sensitive) {
    // Of the channels of a bin, only that bin.
    const Shape& result = t.output_shape(0);
    const std::int64_t count = num_bins(p);
    spend_elements(count);
    std::vector<std::int64_t> own;
    for (std::int64_t i = 0; i < count; ++i) own.push_back(i * count + i);
    bins = onnx::reshape(b, bins, Shape{result[0], result[1], Dim(count) * count});
    bins = onnx::reshape(b, b.gather(bins, b.ints(own), 2), result);
  }
  t.set_output(0, bins);
}

void translate_roi_pooling(const RoiPoolingParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  // ONNX Runtime's kernel takes no scale of 0.
  if (!onnx::runs_max_roi_pool(b, dtype) || static_cast<float>(p.spatial_scale) == 0) {
    return t.set_output(0, maximum_pixels(t, {p.pooled_size, p.spatial_scale}));
  }
  const auto [image, corners] = regions(b, t.input(1), &t.input_shape(0)[0]);
  const Value rois = b.concat({onnx::unsqueeze(b, b.cast(image, dtype), {1}), corners}, 1);
  t.set_output(0, b.emit("MaxRoiPool", {t.input(0), rois},
                         {{"pooled_shape", p.pooled_size}, {"spatial_scale", p.spatial_scale}},
                         {dtype, t.output_shape(0)}));
}

}  // namespace

void register_roi(Registry& r) {
  r.add<RoiAlignParam>({"_contrib_ROIAlign"})
      .summary("Averages of interpolated points in the bins of regions.")
      .inputs({{"data", InputRole::kData}, {"rois", InputRole::kData}})
      .infer(infer_roi_align)
      .translate(translate_roi_align)
      .note(
          "Of a region with a negative image, MXNet on a CPU leaves the result undefined but for "
          "one "
          "0, which it writes into the first region instead; here all of it is 0.")
      .note(
          "An element that is infinite or NaN makes NaN of bins that it has no weight in, in MXNet "
          "and to opset 21; from opset 22 on it does not.");
  r.add<RoiPoolingParam>({"ROIPooling", "_npx_roi_pooling"})
      .summary("The maxima in the bins of regions.")
      .inputs({{"data", InputRole::kData}, {"rois", InputRole::kData}})
      .infer([](const RoiPoolingParam& p, InferContext& c) { infer_rois(p, c, 1); })
      .translate(translate_roi_pooling);
  r.add<RotatedRoiAlignParam>({"_contrib_RROIAlign"})
      .summary("Averages of interpolated points in the bins of rotated regions.")
      .inputs({{"data", InputRole::kData}, {"rois", InputRole::kData}})
      .infer([](const RotatedRoiAlignParam& p, InferContext& c) { infer_rois(p, c, 1, 6); })
      .translate([](const RotatedRoiAlignParam& p, Translation& t) {
        t.set_output(
            0, average_points(t, {p.pooled_size, p.spatial_scale, p.sampling_ratio, false, true}));
      })
      .note(
          "An element that is infinite or NaN makes NaN of bins that it has no weight in, in MXNet "
          "only.")
      .note(
          "Of a region without an image, where MXNet reads what lies in its memory, the result is "
          "0.");
}

}  // namespace mx2onnx
