// The heads of MXNet's own SSD: _contrib_MultiBoxPrior and _contrib_MultiBoxDetection
// (src/operator/contrib/multibox_prior.cc, multibox_detection.cc).
#include <fmt/format.h>

#include <cmath>

#include "base/budget.h"
#include "base/checked.h"
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/vision/box.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct MultiBoxPriorParam {
  FloatTuple sizes = {1};
  FloatTuple ratios = {1};
  bool clip = false;
  FloatTuple steps = {-1, -1};
  FloatTuple offsets = {0.5, 0.5};
  bool is_square_in_pixels = true;  ///< No attribute: a box of ratio 1 is so, whatever the image.

  static void declare(AttrDeclarer<MultiBoxPriorParam>& d) {
    d.field("sizes", &MultiBoxPriorParam::sizes).sizes(1, 1024).help("of the boxes");
    d.field("ratios", &MultiBoxPriorParam::ratios)
        .sizes(1, 1024)
        .help("of width to height; all but the first are for the first size only");
    d.field("clip", &MultiBoxPriorParam::clip).help("boxes end at 0 and 1");
    d.field("steps", &MultiBoxPriorParam::steps)
        .sizes(2, 2)
        .help("distance of boxes along y and x; not positive: the image by its size");
    d.field("offsets", &MultiBoxPriorParam::offsets)
        .sizes(2, 2)
        .at_least(0)
        .at_most(1)
        .help("of the boxes' centers along y and x");
  }

  std::size_t boxes_per_place() const { return sizes.size() + ratios.size() - 1; }
  float size(std::size_t box) const {
    return static_cast<float>(box < sizes.size() ? sizes[box] : sizes[0]);
  }
  float root_ratio(std::size_t box) const {
    return std::sqrt(
        static_cast<float>(box < sizes.size() ? ratios[0] : ratios[box - sizes.size() + 1]));
  }
  bool has_steps() const { return steps[0] > 0 && steps[1] > 0; }
};

void infer_multibox_prior(const MultiBoxPriorParam& p, InferContext& c) {
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() < 4) c.fail_input(0, "at least 4 dimensions");
  const auto boxes = static_cast<std::int64_t>(p.boxes_per_place());
  c.set_output_shape(0, Shape{1, data[2] * data[3] * boxes, 4});
}

// Computed as MXNet does, in float32.
Value constant_priors(Builder& b, const MultiBoxPriorParam& p, std::int64_t height,
                      std::int64_t width) {
  const auto rows = static_cast<float>(height);
  const auto columns = static_cast<float>(width);
  const float step_y = p.has_steps() ? static_cast<float>(p.steps[0]) : 1.F / rows;
  const float step_x = p.has_steps() ? static_cast<float>(p.steps[1]) : 1.F / columns;
  spend_elements(checked_mul(height, width), 4 * static_cast<std::int64_t>(p.boxes_per_place()));
  std::vector<double> values;
  for (std::int64_t r = 0; r < height; ++r) {
    const float y = (static_cast<float>(r) + static_cast<float>(p.offsets[0])) * step_y;
    for (std::int64_t c = 0; c < width; ++c) {
      const float x = (static_cast<float>(c) + static_cast<float>(p.offsets[1])) * step_x;
      for (std::size_t box = 0; box < p.boxes_per_place(); ++box) {
        const float wide = p.is_square_in_pixels ? p.size(box) * rows / columns : p.size(box);
        const float w = wide * p.root_ratio(box) / 2;
        const float h = p.size(box) / p.root_ratio(box) / 2;
        for (float value : {x - w, y - h, x + w, y + h}) {
          if (p.clip) value = std::min(std::max(value, 0.F), 1.F);
          values.push_back(value);
        }
      }
    }
  }
  const auto count = static_cast<std::int64_t>(values.size()) / 4;
  return b.constant(make_tensor_as(DType::kFloat32, {1, count, 4}, values));
}

Value float_constant(Builder& b, const std::vector<std::int64_t>& dims,
                     const std::vector<double>& values) {
  return b.constant(make_tensor_as(DType::kFloat32, dims, values));
}

// The centers along one axis, (size).
Value centers(Builder& b, const MultiBoxPriorParam& p, const Dim& size, Value float_size,
              std::size_t axis) {
  const Value line = b.cast(counting(b, size), DType::kFloat32);
  const Value step = p.has_steps() ? b.scalar(DType::kFloat32, p.steps[axis])
                                   : b.div(b.scalar(DType::kFloat32, 1), float_size);
  return b.mul(b.add(line, b.scalar(DType::kFloat32, p.offsets[axis])), step);
}

// The same at run time, for free sizes.
Value computed_priors(Builder& b, const MultiBoxPriorParam& p, const Shape& data) {
  const Dim& height = data[2];
  const Dim& width = data[3];
  const Value rows = b.cast(onnx::size_tensor(b, height), DType::kFloat32);
  const Value columns = b.cast(onnx::size_tensor(b, width), DType::kFloat32);
  const auto boxes = static_cast<std::int64_t>(p.boxes_per_place());
  std::vector<double> sizes, roots, halves;
  for (std::size_t box = 0; box < p.boxes_per_place(); ++box) {
    sizes.push_back(p.size(box));
    roots.push_back(p.root_ratio(box));
    halves.push_back(p.size(box) / p.root_ratio(box) / 2);
  }
  const auto widths = [&] {
    const Value given = float_constant(b, {boxes, 1}, sizes);
    return p.is_square_in_pixels ? b.div(b.mul(given, rows), columns) : given;
  };
  const Value half_width =
      b.mul(b.mul(widths(), float_constant(b, {boxes, 1}, roots)), b.scalar(DType::kFloat32, 0.5));
  const Value half_size = b.concat({half_width, float_constant(b, {boxes, 1}, halves)}, 1);
  const Shape grid{height, width, 1, 1};
  const Value y = along_axis(b, centers(b, p, height, rows, 0), 0, 4);
  const Value x = along_axis(b, centers(b, p, width, columns, 1), 1, 4);
  const Value center = b.concat({onnx::expand(b, x, grid), onnx::expand(b, y, grid)}, 3);
  const Value priors = b.concat({b.sub(center, half_size), b.add(center, half_size)}, 3);
  return p.clip ? onnx::clip(b, priors, 0, 1) : priors;
}

void translate_multibox_prior(const MultiBoxPriorParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  if (data[2].is_constant() && data[3].is_constant()) {
    return t.set_output(0, constant_priors(b, p, data[2].value(), data[3].value()));
  }
  t.set_output(0, onnx::reshape(b, computed_priors(b, p, data), t.output_shape(0)));
}

struct MultiBoxDetectionParam {
  bool clip = true;
  double threshold = 0.01F;
  double nms_threshold = 0.5;
  bool force_suppress = false;
  FloatTuple variances = {0.1F, 0.1F, 0.2F, 0.2F};
  std::int64_t nms_topk = -1;

  static void declare(AttrDeclarer<MultiBoxDetectionParam>& d) {
    d.field("clip", &MultiBoxDetectionParam::clip).help("boxes end at 0 and 1");
    d.field("threshold", &MultiBoxDetectionParam::threshold).help("least score of a box");
    d.field("nms_threshold", &MultiBoxDetectionParam::nms_threshold)
        .help(
            "boxes whose intersection over union with a better one is at least this are marked; "
            "outside (0, 1]: none are, nor is anything sorted");
    d.field("force_suppress", &MultiBoxDetectionParam::force_suppress)
        .help("boxes of other classes count as well");
    d.field("variances", &MultiBoxDetectionParam::variances).sizes(4, 4).help("scales of loc_pred");
    d.field("nms_topk", &MultiBoxDetectionParam::nms_topk)
        .help("only so many boxes with the best scores are kept; not positive: all");
    // MXNet takes class 0 for the background, whatever this says.
    d.ignore({"background_id"});
  }
  bool suppresses() const { return nms_threshold > 0 && nms_threshold <= 1; }
};

void infer_multibox_detection(const MultiBoxDetectionParam& /*p*/, InferContext& c) {
  for (std::size_t i = 0; i < 3; ++i) c.set_input_dtype(i, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
  if (c.input_shape(0).known_rank() && c.input_shape(0).rank() != 3) {
    c.fail_input(0, "3 dimensions");
  }
  c.set_input_shape(1, Shape::unknown_dims(2));
  const Dim batch = c.input_shape(0).known_rank() ? c.input_shape(0)[0] : Dim();
  const Dim count = c.input_shape(0).known_rank() ? c.input_shape(0)[2] : Dim();
  c.set_input_shape(1, Shape{batch, count * 4});
  c.set_input_shape(2, Shape{Dim(), count, 4});
  c.set_output_shape(0, Shape{batch, count, 6});
}

// The boxes (batch, anchors, 4) in corners.
Value decoded_boxes(Builder& b, const MultiBoxDetectionParam& p, Value location, Value anchors,
                    const Shape& boxes) {
  const auto scaled = [&](Value x, std::size_t first) {
    return b.mul(x, float_constant(b, {2}, {p.variances[first], p.variances[first + 1]}));
  };
  const Value half = b.scalar(DType::kFloat32, 0.5);
  const Value low = box_columns(b, anchors, 0, 2);
  const Value high = box_columns(b, anchors, 2, 2);
  const Value size = b.sub(high, low);
  const Value offsets = onnx::reshape(b, location, boxes);
  const Value center =
      b.add(b.mul(scaled(box_columns(b, offsets, 0, 2), 0), size), b.mul(b.add(low, high), half));
  const Value extent =
      b.mul(b.mul(b.unary("Exp", scaled(box_columns(b, offsets, 2, 2), 2)), size), half);
  const Value corners = b.concat({b.sub(center, extent), b.add(center, extent)}, 2);
  return p.clip ? onnx::clip(b, corners, 0, 1) : corners;
}

// -1 where there is no box.
Value mark_missing(Builder& b, Value exists, Value rows) {
  return b.where(onnx::unsqueeze(b, exists, {2}), rows, b.scalar(DType::kFloat32, -1));
}

// With -1 for the class.
Value mark_dropped(Builder& b, Value rows, Value kept) {
  const Value id = mark_missing(b, kept, box_columns(b, rows, 0, 1));
  return b.concat({id, box_columns(b, rows, 1, 5)}, 2);
}

// The boxes from `first` on of those that there are, in their own order.
Value in_own_order(Builder& b, Value rows, Value exists, const Dim& first, bool dropped) {
  const Dim& count = b.shape(rows)[1];
  auto [flags, order] = onnx::top_k(b, b.cast(exists, DType::kInt32), count, 1, true);
  if (!(first == Dim(0))) {
    const Shape rest{b.shape(rows)[0], count - first};
    flags = onnx::slice(b, flags, {{1, first, count}}, rest);
    order = onnx::slice(b, order, {{1, first, count}}, rest);
  }
  Value taken = rows_by_index(b, rows, order);
  if (dropped) {
    const Value none = onnx::fill(b, DType::kFloat32, -1, Shape{1, 1, 1});
    const Shape& shape = b.shape(taken);
    taken = b.concat(
        {onnx::expand(b, none, Shape{shape[0], shape[1], 1}), box_columns(b, taken, 1, 5)}, 2);
  }
  return mark_missing(b, b.cast(flags, DType::kBool), taken);
}

void translate_multibox_detection(const MultiBoxDetectionParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& prob = t.input_shape(0);
  const Dim& count = prob[2];
  const Dim num_classes = prob[1] - 1;
  if (num_classes == Dim(0)) return t.refuse("there is no class but the background");
  // Class 0 is the background.
  const Value probabilities =
      onnx::slice(b, t.input(0), {{1, 1, prob[1]}}, Shape{prob[0], num_classes, count});
  const Value scores = onnx::reduce(b, "ReduceMax", probabilities, {1}, false);
  const Value ids = b.cast(onnx::arg_reduce(b, "ArgMax", probabilities, 1, false), DType::kFloat32);
  const Value boxes = decoded_boxes(b, p, t.input(1), t.input(2), Shape{prob[0], count, 4});
  Value rows = b.concat({onnx::unsqueeze(b, ids, {2}), onnx::unsqueeze(b, scores, {2}), boxes}, 2);
  const Value exists = b.binary("GreaterOrEqual", scores, b.scalar(DType::kFloat32, p.threshold));
  if (!p.suppresses()) return t.set_output(0, in_own_order(b, rows, exists, 0, false));

  const Dim candidates = p.nms_topk > 0 ? min(count, p.nms_topk) : count;
  const Value no_score = b.scalar(DType::kFloat32, kNoScore);
  const auto [best, order] = onnx::top_k(b, b.where(exists, scores, no_score), candidates, 1, true);
  const Value sorted = rows_by_index(b, rows, order);
  Value class_scores = onnx::unsqueeze(b, best, {1});
  if (!p.force_suppress && !(num_classes == Dim(1))) {
    const Value sorted_ids = b.gather(sorted, b.int_scalar(0), 2);
    const Value matches =
        b.binary("Equal", onnx::unsqueeze(b, sorted_ids, {1}),
                 onnx::unsqueeze(b, b.cast(counting(b, num_classes), DType::kFloat32), {1}));
    class_scores = b.where(matches, class_scores, no_score);
  }
  // MXNet drops what overlaps by the threshold itself too, ONNX only by more.
  const double below = std::nextafter(static_cast<float>(p.nms_threshold), 0.F);
  const Value kept =
      suppress_boxes(b, BoxFormat::kCorner, ordered_corners(b, box_columns(b, sorted, 2, 4)),
                     class_scores, best, below, p.threshold > 0);
  Value result = mark_missing(b, b.binary("Greater", best, no_score),
                              mark_dropped(b, sorted, b.binary("Greater", kept, no_score)));
  // The rows behind the best ones hold what was there before MXNet sorted them, marked as dropped.
  if (!(candidates == count)) {
    result = b.concat({result, in_own_order(b, rows, exists, candidates, true)}, 1);
  }
  t.set_output(0, result);
}

}  // namespace

void register_multibox(Registry& r) {
  r.add<MultiBoxPriorParam>({"_contrib_MultiBoxPrior", "_npx_multibox_prior"})
      .summary("Anchor boxes of a feature map.")
      .infer(infer_multibox_prior)
      .translate(translate_multibox_prior)
      .variant(OriginRange::until(0, 11),
               "the first ratio counts as 1, and sizes are parts of width and height each",
               [](OpDeclarer<MultiBoxPriorParam>& variant) {
                 variant.translate([](const MultiBoxPriorParam& p, Translation& t) {
                   MultiBoxPriorParam old = p;
                   old.ratios[0] = 1;
                   old.is_square_in_pixels = false;
                   translate_multibox_prior(old, t);
                 });
               })
      .variant(OriginRange::until(1, 4), "the first ratio counts as 1",
               [](OpDeclarer<MultiBoxPriorParam>& variant) {
                 variant.translate([](const MultiBoxPriorParam& p, Translation& t) {
                   MultiBoxPriorParam old = p;
                   old.ratios[0] = 1;
                   translate_multibox_prior(old, t);
                 });
               });
  r.add<MultiBoxDetectionParam>({"_contrib_MultiBoxDetection", "_npx_multibox_detection"})
      .summary("Boxes from class scores and offsets against anchors.")
      .inputs({{"cls_prob", InputRole::kData},
               {"loc_pred", InputRole::kData},
               {"anchor", InputRole::kData}})
      .infer(infer_multibox_detection)
      .translate(translate_multibox_detection)
      .check([](const MultiBoxDetectionParam& p, const CheckContext&) -> std::vector<AttrProblem> {
        if (p.threshold > -1) return {};
        return {{"threshold", "expected more than -1, the score of the background", ""}};
      })
      .note("A coordinate that is NaN is clipped to 1 in MXNet, and stays NaN here.")
      .note(
          "Where there are more boxes than nms_topk, MXNet until 1.2 leaves the others in its "
          "result; "
          "here they are dropped, as by all later versions.")
      .note("The attribute background_id has no effect, in MXNet neither: class 0 is it.");
}

}  // namespace mx2onnx
