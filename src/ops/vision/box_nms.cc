// _contrib_box_nms (src/operator/contrib/bounding_box-inl.h): boxes that overlap a better one are
// dropped; the others come in the order of their scores, and the rest of the rows is -1.
//
// ONNX's NonMaxSuppression names the boxes it keeps, per batch and class. Their scores are put back
// in their places, all other places getting -inf, and a TopK over those brings the rows in order.
// Both operators take the first of equal scores first, as MXNet's stable sort does. It computes in
// float32 alone and takes no negative threshold; for the rest there is a loop over the boxes.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/stepwise.h"
#include "ops/vision/box.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct BoxNmsParam {
  double overlap_thresh = 0.5;
  double valid_thresh = 0;
  std::int64_t topk = -1;
  std::int64_t coord_start = 2;
  std::int64_t score_index = 1;
  std::int64_t id_index = -1;
  std::int64_t background_id = -1;
  bool has_background = true;
  bool force_suppress = false;
  BoxFormat in_format = BoxFormat::kCorner;
  BoxFormat out_format = BoxFormat::kCorner;

  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("overlap_thresh", &P::overlap_thresh)
        .help("boxes whose intersection over union with a better one is larger are dropped");
    d.field("valid_thresh", &P::valid_thresh).help("boxes whose score is not larger are dropped");
    d.field("topk", &P::topk)
        .help("only so many boxes with the best scores are looked at; negative: all");
    d.field("coord_start", &P::coord_start).at_least(0).help("column of the coordinates");
    d.field("score_index", &P::score_index).at_least(0).help("column of the score");
    d.field("id_index", &P::id_index).help("column of the class; negative: none");
    d.field("force_suppress", &P::force_suppress).help("boxes of other classes count as well");
    d.one_of("in_format", &P::in_format, box_format_names())
        .help("of the coordinates: two corners, or center and size");
    d.one_of("out_format", &P::out_format, box_format_names()).help("of the result");
  }
  static void declare(AttrDeclarer<BoxNmsParam>& d) {
    declare_common(d);
    d.field("background_id", &BoxNmsParam::background_id).help("class whose boxes are dropped");
  }
  bool has_class() const { return id_index >= 0; }
};

/// Until MXNet 1.4, where every class is one.
struct BoxNmsOfAllParam : BoxNmsParam {
  BoxNmsOfAllParam() { has_background = false; }
  static void declare(AttrDeclarer<BoxNmsOfAllParam>& d) { declare_common(d); }
};

void infer_box_nms(const BoxNmsParam& p, InferContext& c) {
  c.unify_shapes();
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() < 2) c.fail_input(0, "at least 2 dimensions");
  const Dim& width = data[data.rank() - 1];
  const auto needed = std::max({p.coord_start + 4, p.score_index + 1, p.id_index + 1});
  if (width.is_constant() && width.value() < needed) {
    c.fail_input(0, fmt::format("at least {} columns", needed));
  }
}

// One column of the boxes, (batch, boxes).
Value column(Builder& b, Value rows, std::int64_t index) {
  return b.gather(rows, b.int_scalar(index), 2);
}

// The scores, and kNoScore where a box is not valid.
Value valid_scores(Builder& b, const BoxNmsParam& p, const Stepwise& steps, Value rows) {
  const Value scores = column(b, rows, p.score_index);
  Value valid = b.binary("Greater", scores, steps.number(static_cast<float>(p.valid_thresh)));
  if (p.has_class() && p.has_background) {
    const Value background = steps.number(static_cast<double>(p.background_id));
    const Value is_background = b.binary("Equal", column(b, rows, p.id_index), background);
    valid = b.binary("And", valid, b.unary("Not", is_background));
  }
  return b.where(valid, scores, steps.number(kNoScore));
}

// The number of each box's class, cut to an integer as MXNet does.
Value classes_of(Builder& b, const BoxNmsParam& p, Value rows) {
  return b.cast(column(b, rows, p.id_index), DType::kInt64);
}

// The scores of shape (batch, boxes) as (batch, classes, boxes): kNoScore where the class is
// another. The classes are those that occur, whatever their numbers.
Value scores_by_class(Builder& b, const BoxNmsParam& p, Value rows, Value scores) {
  const Value one_class = onnx::unsqueeze(b, scores, {1});
  if (!p.has_class() || p.force_suppress) return one_class;
  const Value ids = classes_of(b, p, rows);
  const Value classes = b.emit("Unique", {ids}, {{"sorted", 1}}, {DType::kInt64, Shape{Dim()}});
  const Value matches =
      b.binary("Equal", onnx::unsqueeze(b, ids, {1}), onnx::unsqueeze(b, classes, {1}));
  return b.where(matches, one_class, b.scalar(DType::kFloat32, kNoScore));
}

// The scores of the boxes that are kept.
Value kept_scores(Builder& b, const BoxNmsParam& p, Value rows, Value scores) {
  Value boxes = box_columns(b, rows, p.coord_start, 4);
  if (p.in_format == BoxFormat::kCorner) boxes = ordered_corners(b, boxes);
  return suppress_boxes(b, p.in_format, boxes, scores_by_class(b, p, rows, scores), scores,
                        std::min(p.overlap_thresh, 1.0), p.valid_thresh >= 0);
}

// The same in any element type and with any threshold, of boxes in the order of their scores.
Value kept_scores_in_turn(Builder& b, const BoxNmsParam& p, const Stepwise& steps, Value rows,
                          Value scores) {
  Value classes;
  if (p.has_class() && !p.force_suppress) classes = classes_of(b, p, rows);
  const Value kept =
      keep_in_turn(b, steps, p.in_format, box_columns(b, rows, p.coord_start, 4), classes,
                   b.binary("Greater", scores, steps.number(kNoScore)), p.overlap_thresh);
  return b.where(kept, scores, steps.number(kNoScore));
}

Value convert_format(Builder& b, const BoxNmsParam& p, const Stepwise& steps, Value rows) {
  if (p.in_format == p.out_format) return rows;
  const Dim& width = b.shape(rows)[2];
  const Value from = box_columns(b, rows, p.coord_start, 4);
  const Value low = box_columns(b, from, 0, 2);
  const Value high = box_columns(b, from, 2, 2);
  const Value half = steps.number(0.5);
  Value converted;
  if (p.out_format == BoxFormat::kCenter) {
    converted = b.concat({steps.mul(steps.add(low, high), half), steps.sub(high, low)}, 2);
  } else {
    const Value extent = steps.mul(high, half);
    converted = b.concat({steps.sub(low, extent), steps.add(low, extent)}, 2);
  }
  // MXNet leaves alone what begins with a negative coordinate, meaning rows of -1.
  const Value negative = b.binary("Less", box_columns(b, from, 0, 1), steps.number(0));
  std::vector<Value> parts;
  if (p.coord_start > 0) parts.push_back(box_columns(b, rows, 0, p.coord_start));
  parts.push_back(b.where(negative, from, converted));
  const Dim rest = width - (p.coord_start + 4);
  if (!(rest == Dim(0))) parts.push_back(box_columns(b, rows, p.coord_start + 4, rest));
  return b.concat(parts, 2);
}

void translate_box_nms(const BoxNmsParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  if (!expect_floating(t)) return;
  const Shape& data = t.input_shape(0);
  const std::size_t rank = data.rank();
  const Dim batch = data.count(0, rank - 2);
  const Dim& boxes = data[rank - 2];
  // MXNet then returns its input, without changing the format.
  if (p.topk == 0 || boxes == Dim(0)) return t.set_output(0, t.input(0));

  const Stepwise steps(b, dtype);
  const bool in_turn = dtype != DType::kFloat32 || p.overlap_thresh < 0;
  Value rows =
      steps.take(rank == 2 ? onnx::unsqueeze(b, t.input(0), {0})
                           : onnx::reshape(b, t.input(0), Shape{batch, boxes, data[rank - 1]}));
  Value scores = valid_scores(b, p, steps, rows);
  const Dim candidates = p.topk < 0 ? boxes : min(boxes, p.topk);
  if (in_turn || !(candidates == boxes)) {
    const auto [best, order] = onnx::top_k(b, scores, candidates, 1, true);
    rows = rows_by_index(b, rows, order);
    scores = best;
  }
  const Value kept_of =
      in_turn ? kept_scores_in_turn(b, p, steps, rows, scores) : kept_scores(b, p, rows, scores);
  const auto [best, order] = onnx::top_k(b, kept_of, candidates, 1, true);
  const Value kept = b.binary("Greater", onnx::unsqueeze(b, best, {2}), steps.number(kNoScore));
  Value result = b.where(kept, rows_by_index(b, rows, order), steps.number(-1));
  result = convert_format(b, p, steps, result);
  const Dim missing = boxes - candidates;
  if (!(missing == Dim(0))) {
    const Value filling =
        onnx::fill(b, steps.computing(), -1, Shape{batch, missing, data[rank - 1]});
    result = b.concat({result, filling}, 1);
  }
  result = steps.give(result);
  t.set_output(0, rank == 2 ? onnx::squeeze(b, result, {0}) : onnx::reshape(b, result, data));
}

const char* const kSlow =
    "In float16 and float64, and with a negative overlap_thresh, where ONNX's "
    "NonMaxSuppression does not compute, boxes are looked at in a loop, which is slower.";

}  // namespace

void register_box_nms(Registry& r) {
  r.add<BoxNmsParam>({"_contrib_box_nms", "_contrib_box_non_maximum_suppression", "_npx_box_nms"})
      .summary("Drops boxes that overlap better ones.")
      .outputs({"output0"})
      .infer(infer_box_nms)
      .translate(translate_box_nms)
      .note(kSlow)
      .variant<BoxNmsOfAllParam>(OriginRange::until(1, 4),
                                 "boxes of class -1 are boxes like others, not the background",
                                 [](OpDeclarer<BoxNmsOfAllParam>& variant) {
                                   variant.outputs({"output0"})
                                       .infer(infer_box_nms)
                                       .translate(translate_box_nms)
                                       .note(kSlow);
                                 });
}

}  // namespace mx2onnx
