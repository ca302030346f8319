// Boxes of detection models: their overlap, and the ways they are encoded against anchors
// (src/operator/contrib/bounding_box-inl.h).
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/vision/box.h"

namespace mx2onnx {

namespace {

using onnx::Builder;
using onnx::Value;

// Boxes of four columns in two halves: (xmin, ymin) and (xmax, ymax), or (x, y) and (width,
// height).
struct Halves {
  Value first;
  Value second;
};

Halves halves(Builder& b, Value boxes) {
  return {box_columns(b, boxes, 0, 2), box_columns(b, boxes, 2, 2)};
}

Value join(Builder& b, const Halves& h) {
  return b.concat({h.first, h.second}, static_cast<std::int64_t>(b.shape(h.first).rank()) - 1);
}

Value half_of(Builder& b, Value x) { return b.mul(x, b.scalar(b.dtype(x), 0.5)); }

// (x, y) and (width, height).
Halves as_center(Builder& b, const Halves& corners) {
  const Value size = b.sub(corners.second, corners.first);
  return {b.add(corners.first, half_of(b, size)), size};
}

Halves as_corners(Builder& b, const Halves& center) {
  const Value half = half_of(b, center.second);
  return {b.sub(center.first, half), b.add(center.first, half)};
}

void check_columns(InferContext& c, std::size_t input) {
  const Shape& shape = c.input_shape(input);
  if (!shape.known_rank()) return;
  if (shape.rank() < 2) c.fail_input(input, "at least 2 dimensions");
  Shape expected = Shape::unknown_dims(shape.rank());
  expected[shape.rank() - 1] = 4;
  c.set_input_shape(input, expected);
}

struct BoxIouParam {
  BoxFormat format = BoxFormat::kCorner;
  static void declare(AttrDeclarer<BoxIouParam>& d) {
    d.one_of("format", &BoxIouParam::format, box_format_names())
        .help("of the boxes: two corners, or center and size");
  }
};

void infer_box_iou(const BoxIouParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  check_columns(c, 0);
  check_columns(c, 1);
  const Shape& left = c.input_shape(0);
  const Shape& right = c.input_shape(1);
  if (!left.known_rank() || !right.known_rank()) return;
  std::vector<Dim> dims(left.dims().begin(), left.dims().end() - 1);
  dims.insert(dims.end(), right.dims().begin(), right.dims().end() - 1);
  c.set_output_shape(0, Shape(std::move(dims)));
}

// The product of width and height, 0 where one of them is negative.
Value area(Builder& b, Value size) {
  const Value extent = b.unary("Relu", size);
  const Shape& shape = b.shape(extent);
  const auto axis = static_cast<std::int64_t>(shape.rank()) - 1;
  return b.mul(b.gather(extent, b.int_scalar(0), axis), b.gather(extent, b.int_scalar(1), axis));
}

void translate_box_iou(const BoxIouParam& p, Translation& t) {
  Builder& b = t.b;
  const Dim num_left = t.input_shape(0).count(0, t.input_rank(0) - 1);
  const Dim num_right = t.input_shape(1).count(0, t.input_rank(1) - 1);
  const Halves given[] = {halves(b, onnx::reshape(b, t.input(0), Shape{num_left, 1, 4})),
                          halves(b, onnx::reshape(b, t.input(1), Shape{1, num_right, 4}))};
  const bool center = p.format == BoxFormat::kCenter;
  const Halves left = center ? as_corners(b, given[0]) : given[0];
  const Halves right = center ? as_corners(b, given[1]) : given[1];
  const Value shared = area(b, b.sub(b.binary("Min", left.second, right.second),
                                     b.binary("Max", left.first, right.first)));
  const auto area_of = [&](const Halves& box, const Halves& corners) {
    return area(b, center ? box.second : b.sub(corners.second, corners.first));
  };
  const Value both = b.add(area_of(given[0], left), area_of(given[1], right));
  const Value zero = b.scalar(b.dtype(shared), 0);
  // Boxes that do not meet have 0, empty ones too.
  const Value iou =
      b.where(b.binary("Greater", shared, zero), b.div(shared, b.sub(both, shared)), zero);
  t.set_output(0, onnx::reshape(b, iou, t.output_shape(0)));
}

struct BoxDecodeParam {
  double std0 = 1;
  double std1 = 1;
  double std2 = 1;
  double std3 = 1;
  double clip = -1;
  BoxFormat format = BoxFormat::kCenter;

  static void declare(AttrDeclarer<BoxDecodeParam>& d) {
    d.field("std0", &BoxDecodeParam::std0).help("scale of x");
    d.field("std1", &BoxDecodeParam::std1).help("scale of y");
    d.field("std2", &BoxDecodeParam::std2).help("scale of the width's logarithm");
    d.field("std3", &BoxDecodeParam::std3).help("scale of the height's logarithm");
    d.field("clip", &BoxDecodeParam::clip)
        .help("largest logarithm of a width or height; not positive: no limit");
    d.one_of("format", &BoxDecodeParam::format, box_format_names())
        .help("of the anchors: two corners, or center and size");
  }
};

void infer_box_decode(const BoxDecodeParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  const Shape& data = c.input_shape(0);
  if (data.known_rank() && data.rank() != 3) c.fail_input(0, "3 dimensions");
  check_columns(c, 0);
  check_columns(c, 1);
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_shape(0, c.output_shape(0));
  // MXNet reads that many, whether they are there or not.
  const Shape& anchors = c.input_shape(1);
  if (!c.input_shape(0).known_rank() || !anchors.known_rank()) return;
  const Dim& needed = c.input_shape(0)[1];
  const Dim found = anchors.count(0, anchors.rank() - 1);
  if (needed.is_constant() && found.is_constant() && needed.value() != found.value()) {
    c.fail_input(1, fmt::format("{} boxes, as data has", needed.value()));
  }
}

// x * (first, second) along the last axis; `x` itself where both are 1.
Value scale_pair(Builder& b, Value x, double first, double second) {
  if (first == 1 && second == 1) return x;
  const std::vector<double> values = {first, second};
  return b.mul(x, b.constant(make_tensor_as(b.dtype(x), {2}, values)));
}

void translate_box_decode(const BoxDecodeParam& p, Translation& t) {
  Builder& b = t.b;
  // MXNet takes the anchors as one batch, however many dimensions they have.
  Halves anchors = halves(b, onnx::reshape(b, t.input(1), Shape{1, t.input_shape(0)[1], 4}));
  if (p.format == BoxFormat::kCorner) anchors = as_center(b, anchors);
  const Halves data = halves(b, t.input(0));
  const Value center =
      b.add(b.mul(scale_pair(b, data.first, p.std0, p.std1), anchors.second), anchors.first);
  Value logarithm = scale_pair(b, data.second, p.std2, p.std3);
  if (p.clip > 0) logarithm = b.binary("Min", logarithm, b.scalar(b.dtype(logarithm), p.clip));
  const Value size = b.mul(b.unary("Exp", logarithm), anchors.second);
  t.set_output(0, join(b, as_corners(b, {center, size})));
}

void infer_box_encode(const NoParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  check_columns(c, 2);
  check_columns(c, 3);
  c.set_input_shape(4, Shape{4});
  c.set_input_shape(5, Shape{4});
  for (const std::size_t i : {std::size_t{2}, std::size_t{3}}) {
    if (c.input_shape(i).known_rank() && c.input_shape(i).rank() != 3) {
      c.fail_input(i, "3 dimensions");
    }
  }
  c.set_output_shape(0, c.input_shape(2));
  c.set_output_shape(1, c.input_shape(2));
}

void translate_box_encode(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  const Value samples = t.input(0);
  const DType dtype = b.dtype(samples);
  const Shape& result = t.output_shape(0);
  const Value valid = onnx::unsqueeze(b, b.binary("Greater", samples, b.scalar(dtype, 0.5)), {2});
  t.set_output(1, onnx::expand(b, b.cast(valid, dtype), result));

  const Value matches = onnx::unsqueeze(b, b.cast(t.input(1), DType::kInt64), {2});
  const Value matched =
      b.emit("GatherND", {t.input(3), matches}, {{"batch_dims", 1}}, {dtype, result});
  const Halves refs = as_center(b, halves(b, matched));
  const Halves anchors = as_center(b, halves(b, t.input(2)));
  const Value offsets = join(b, {b.div(b.sub(refs.first, anchors.first), anchors.second),
                                 b.unary("Log", b.div(refs.second, anchors.second))});
  const Value targets = b.div(b.sub(offsets, t.input(4)), t.input(5));
  t.set_output(0, b.where(valid, targets, b.scalar(dtype, 0)));
}

}  // namespace

void register_boxes(Registry& r) {
  r.add<BoxIouParam>({"_contrib_box_iou", "_npx_box_iou"})
      .summary("Intersection over union of each pair of boxes.")
      .inputs({{"lhs", InputRole::kData}, {"rhs", InputRole::kData}})
      .infer(infer_box_iou)
      .translate(translate_box_iou)
      .note("Of boxes with infinite or NaN coordinates, the results are others than MXNet's.");
  r.add<BoxDecodeParam>({"_contrib_box_decode", "_npx_box_decode"})
      .summary("Boxes from offsets against anchors.")
      .inputs({{"data", InputRole::kData}, {"anchors", InputRole::kData}})
      .infer(infer_box_decode)
      .translate(translate_box_decode)
      .note("With clip, a size that is NaN is clipped in MXNet, and stays NaN here.");
  r.add<NoParam>({"_contrib_box_encode", "_npx_box_encode"})
      .summary("Offsets of matched boxes against anchors.")
      .inputs({{"samples", InputRole::kData},
               {"matches", InputRole::kData},
               {"anchors", InputRole::kData},
               {"refs", InputRole::kData},
               {"means", InputRole::kData},
               {"stds", InputRole::kData}})
      .outputs({"output0", "output1"})
      .infer(infer_box_encode)
      .translate(translate_box_encode);
}

}  // namespace mx2onnx
