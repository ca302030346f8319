// Region proposals: _contrib_Proposal and _contrib_MultiProposal
// (src/operator/contrib/proposal.cc, multi_proposal.cc). Boxes from anchors and offsets, of which
// the best that do not overlap are kept; if these are too few, they are repeated from the first on.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/vision/box.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct ProposalParam {
  std::int64_t rpn_pre_nms_top_n = 6000;
  std::int64_t rpn_post_nms_top_n = 300;
  double threshold = 0.7F;
  std::int64_t rpn_min_size = 16;
  FloatTuple scales = {4, 8, 16, 32};
  FloatTuple ratios = {0.5, 1, 2};
  std::int64_t feature_stride = 16;
  bool output_score = false;
  bool iou_loss = false;

  static void declare(AttrDeclarer<ProposalParam>& d) {
    d.field("rpn_pre_nms_top_n", &ProposalParam::rpn_pre_nms_top_n)
        .help("only so many boxes with the best scores are looked at; not positive: all");
    d.field("rpn_post_nms_top_n", &ProposalParam::rpn_post_nms_top_n)
        .at_least(1)
        .help("boxes of the result for each image");
    d.field("threshold", &ProposalParam::threshold)
        .help("boxes whose intersection over union with a better one is larger are dropped");
    d.field("rpn_min_size", &ProposalParam::rpn_min_size)
        .help("boxes with a smaller side, in pixels of the unscaled image, come last");
    d.field("scales", &ProposalParam::scales).sizes(1, 1024).help("of the anchors");
    d.field("ratios", &ProposalParam::ratios)
        .sizes(1, 1024)
        .help("of height to width of the anchors");
    d.field("feature_stride", &ProposalParam::feature_stride)
        .at_least(1)
        .help("pixels of the image by pixel of the feature map");
    d.field("output_score", &ProposalParam::output_score).help("the scores are an output too");
    d.field("iou_loss", &ProposalParam::iou_loss)
        .help("offsets are distances of the corners, not scaled and no logarithms");
  }

  std::int64_t num_anchors() const {
    return static_cast<std::int64_t>(scales.size() * ratios.size());
  }
};

// The anchors at the first pixel, two corners each, computed in float32 as MXNet does.
std::vector<double> anchor_corners(const ProposalParam& p) {
  std::vector<double> corners;
  const auto side = static_cast<float>(p.feature_stride);
  const float center = 0.5F * (side - 1.0F);
  for (const double wide : p.ratios) {
    for (const double large : p.scales) {
      const auto ratio = static_cast<float>(wide);
      const auto scale = static_cast<float>(large);
      const float area = std::floor(side * side / ratio);
      const float width = std::floor(std::sqrt(area) + 0.5F) * scale;
      const float height = std::floor(width / scale * ratio + 0.5F) * scale;
      for (const float corner : {center - 0.5F * (width - 1.0F), center - 0.5F * (height - 1.0F),
                                 center + 0.5F * (width - 1.0F), center + 0.5F * (height - 1.0F)}) {
        corners.push_back(corner);
      }
    }
  }
  return corners;
}

void infer_proposal(const ProposalParam& p, InferContext& c, bool multiple) {
  for (std::size_t i = 0; i < 3; ++i) c.set_input_dtype(i, DType::kFloat32);
  for (std::size_t i = 0; i < c.num_outputs(); ++i) c.set_output_dtype(i, DType::kFloat32);
  const std::int64_t anchors = p.num_anchors();
  const Shape& scores = c.input_shape(0);
  if (scores.known_rank()) {
    const bool fits =
        scores.rank() == 4 && (!scores[1].is_constant() || scores[1].value() == 2 * anchors);
    if (!fits) {
      c.fail_input(0, fmt::format("4 dimensions, of which the second is 2 for each of {} anchors "
                                  "({} ratios, {} scales)",
                                  anchors, p.ratios.size(), p.scales.size()));
    }
    if (!multiple && scores[0].is_constant() && scores[0].value() != 1) {
      c.fail_input(0,
                   "one image, which is all that this operator takes (_contrib_MultiProposal "
                   "takes several)");
    }
  }
  const Dim images = multiple ? Dim() : Dim(1);
  c.set_input_shape(0, Shape{images, 2 * anchors, Dim(), Dim()});
  const Shape& data = c.input_shape(0);
  c.set_input_shape(1, Shape{data[0], 4 * anchors, data[2], data[3]});
  c.set_input_shape(2, Shape{data[0], 3});
  const Dim rows = data[0] * p.rpn_post_nms_top_n;
  c.set_output_shape(0, Shape{rows, 5});
  if (c.num_outputs() > 1) c.set_output_shape(1, Shape{rows, 1});
}

// What is computed of the boxes, of shape (images, rows, columns, anchors, …).
struct Boxes {
  Value low;     // (…, 2): left and upper edge
  Value high;    // (…, 2)
  Value scores;  // (…, 1)
};

class Proposals {
 public:
  Proposals(const ProposalParam& p, Translation& t)
      : p_(p),
        t_(t),
        b_(t.b),
        images_(t.input_shape(0)[0]),
        rows_(t.input_shape(0)[2]),
        columns_(t.input_shape(0)[3]) {}

  Boxes boxes() {
    Boxes boxes = decoded(anchors());
    const Value limit = b_.sub(info({1, 0}), number(1));
    const auto cut = [&](Value x) {
      return b_.binary("Max", b_.binary("Min", x, limit), number(0));
    };
    boxes.low = cut(boxes.low);
    boxes.high = cut(boxes.high);
    boxes.scores = b_.where(padding(), number(-1), boxes.scores);
    // Boxes that are too small grow, and come last.
    const Value least = b_.mul(info({2}), number(static_cast<double>(p_.rpn_min_size)));
    const Value size = b_.add(b_.sub(boxes.high, boxes.low), number(1));
    const Value small = b_.binary("Less", onnx::reduce(b_, "ReduceMin", size, {4}, true), least);
    const Value half = b_.mul(least, number(0.5));
    boxes.low = b_.where(small, b_.sub(boxes.low, half), boxes.low);
    boxes.high = b_.where(small, b_.add(boxes.high, half), boxes.high);
    boxes.scores = b_.where(small, number(-1), boxes.scores);
    return boxes;
  }

  /// (images, boxes, columns).
  Value as_rows(Value x) {
    const Dim count = rows_ * columns_ * p_.num_anchors();
    return onnx::reshape(b_, x, Shape{images_, count, b_.shape(x)[4]});
  }

 private:
  Value number(double value) { return b_.scalar(DType::kFloat32, value); }

  // Columns of im_info (height, width, scale) as (images, 1, 1, 1, columns).
  Value info(const std::vector<std::int64_t>& columns) {
    const auto count = static_cast<std::int64_t>(columns.size());
    return onnx::reshape(b_, b_.gather(t_.input(2), b_.ints(columns), 1),
                         Shape{images_, 1, 1, 1, count});
  }

  // Row or column numbers along their axis.
  Value numbers(std::size_t axis) {
    return onnx::reshape(b_, counting(b_, axis == 1 ? rows_ : columns_),
                         axis == 1 ? Shape{rows_, 1, 1, 1} : Shape{columns_, 1, 1});
  }

  // True for what lies beyond the image: batches are padded.
  Value padding() {
    const auto beyond = [&](std::size_t axis) {
      const Value size = b_.div(info({static_cast<std::int64_t>(axis) - 1}),
                                number(static_cast<double>(p_.feature_stride)));
      return b_.unary("Not", b_.binary("Less", numbers(axis), b_.cast(size, DType::kInt64)));
    };
    return b_.binary("Or", beyond(1), beyond(2));
  }

  Boxes anchors() {
    const Value stride = b_.int_scalar(p_.feature_stride);
    const Shape grid{1, rows_, columns_, 1, 1};
    const auto shift = [&](std::size_t axis) {
      return onnx::expand(b_, b_.cast(b_.mul(numbers(axis), stride), DType::kFloat32), grid);
    };
    const Value shifts = b_.concat({shift(2), shift(1)}, 4);
    const Value first =
        b_.constant(make_tensor_as(DType::kFloat32, {p_.num_anchors(), 4}, anchor_corners(p_)));
    return {b_.add(shifts, box_columns(b_, first, 0, 2)),
            b_.add(shifts, box_columns(b_, first, 2, 2)),
            {}};
  }

  Boxes decoded(const Boxes& anchors) {
    const std::int64_t count = p_.num_anchors();
    const Value offsets = b_.transpose(
        onnx::reshape(b_, t_.input(1), Shape{images_, count, 4, rows_, columns_}), {0, 3, 4, 1, 2});
    const Value foreground = onnx::slice(b_, t_.input(0), {{1, count, 2 * count}},
                                         Shape{images_, count, rows_, columns_});
    const Value scores = onnx::unsqueeze(b_, b_.transpose(foreground, {0, 2, 3, 1}), {4});
    const Value first = box_columns(b_, offsets, 0, 2);
    const Value second = box_columns(b_, offsets, 2, 2);
    if (p_.iou_loss) return {b_.add(anchors.low, first), b_.add(anchors.high, second), scores};
    const Value size = b_.add(b_.sub(anchors.high, anchors.low), number(1));
    const auto half_extent = [&](Value x) { return b_.mul(b_.sub(x, number(1)), number(0.5)); };
    const Value center = b_.add(b_.mul(first, size), b_.add(anchors.low, half_extent(size)));
    const Value extent = half_extent(b_.mul(b_.unary("Exp", second), size));
    return {b_.sub(center, extent), b_.add(center, extent), scores};
  }

  const ProposalParam& p_;
  Translation& t_;
  Builder& b_;
  Dim images_;
  Dim rows_;
  Dim columns_;
};

// The places (images, count) of the boxes that are kept among those in order, repeated where there
// are too few.
Value kept_places(Builder& b, const ProposalParam& p, Value boxes) {
  const Dim& images = b.shape(boxes)[0];
  const Dim& count = b.shape(boxes)[1];
  // The boxes are in order already, whatever their scores.
  const Value place = b.cast(counting(b, count), DType::kFloat32);
  const bool positive = count.is_constant();
  const Value rank =
      positive ? b.sub(b.scalar(DType::kFloat32, static_cast<double>(count.value())), place)
               : b.unary("Neg", place);
  const Value ranks = onnx::expand(b, onnx::unsqueeze(b, rank, {0}), Shape{images, count});
  // To MXNet a box contains its last row and column.
  const Value high = b.add(box_columns(b, boxes, 2, 2), b.scalar(DType::kFloat32, 1));
  const Value closed = b.concat({box_columns(b, boxes, 0, 2), high}, 2);
  const Dim most = min(count, p.rpn_post_nms_top_n);
  const Value kept = suppress_boxes(b, BoxFormat::kCorner, ordered_corners(b, closed),
                                    onnx::unsqueeze(b, ranks, {1}), ranks,
                                    std::min(p.threshold, 1.0), positive, most);
  const auto [best, order] = onnx::top_k(b, kept, most, 1, true);
  const Value exists = b.binary("Greater", best, b.scalar(DType::kFloat32, kNoScore));
  const Value number = onnx::reduce(b, "ReduceSum", b.cast(exists, DType::kInt64), {1}, true);
  const Value wanted = onnx::unsqueeze(b, counting(b, p.rpn_post_nms_top_n), {0});
  const Value turn = b.binary("Mod", wanted, number);
  return b.emit("GatherElements", {order, turn}, {{"axis", 1}}, b.type(turn));
}

void translate_proposal(const ProposalParam& p, Translation& t) {
  Builder& b = t.b;
  const Dim& images = t.input_shape(0)[0];
  Proposals proposals(p, t);
  const Boxes boxes = proposals.boxes();
  const Value all = proposals.as_rows(b.concat({boxes.low, boxes.high, boxes.scores}, 4));
  const Dim& count = b.shape(all)[1];
  const Value scores = onnx::squeeze(b, box_columns(b, all, 4, 1), {2});
  const Dim looked_at = p.rpn_pre_nms_top_n > 0 ? min(count, p.rpn_pre_nms_top_n) : count;
  const Value order = onnx::top_k(b, scores, looked_at, 1, true).second;
  const Value sorted = rows_by_index(b, all, order);
  const Value kept = rows_by_index(b, sorted, kept_places(b, p, box_columns(b, sorted, 0, 4)));
  const Dim post = p.rpn_post_nms_top_n;
  const Value image = b.cast(counting(b, images), DType::kFloat32);
  const Value image_column =
      onnx::expand(b, onnx::reshape(b, image, Shape{images, 1, 1}), Shape{images, post, 1});
  t.set_output(0, onnx::reshape(b, b.concat({image_column, box_columns(b, kept, 0, 4)}, 2),
                                t.output_shape(0)));
  if (t.num_outputs() > 1) {
    t.set_output(1, onnx::reshape(b, box_columns(b, kept, 4, 1), t.output_shape(1)));
  }
}

std::vector<AttrProblem> check_proposal(const ProposalParam& p, const CheckContext& /*c*/) {
  if (p.threshold >= 0) return {};
  return {{"threshold", "ONNX's NonMaxSuppression takes no negative one",
           "0 drops all boxes that overlap a better one"}};
}

}  // namespace

void register_proposal(Registry& r) {
  const auto add = [&r](std::string name, bool multiple) {
    r.add<ProposalParam>({std::move(name)})
        .summary(multiple ? "Region proposals of several images." : "Region proposals of an image.")
        .inputs({{"cls_prob", InputRole::kData},
                 {"bbox_pred", InputRole::kData},
                 {"im_info", InputRole::kData}})
        .outputs_by([](const ProposalParam& p, std::size_t) -> std::vector<std::string> {
          if (p.output_score) return {"output", "score"};
          return {"output"};
        })
        .infer(
            [multiple](const ProposalParam& p, InferContext& c) { infer_proposal(p, c, multiple); })
        .translate(translate_proposal)
        .check(check_proposal)
        .note("A negative threshold is refused.")
        .note("Coordinates that are NaN are clipped to the image in MXNet, and stay NaN here.");
  };
  add("_contrib_Proposal", false);
  add("_contrib_MultiProposal", true);
}

}  // namespace mx2onnx
