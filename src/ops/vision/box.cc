#include "ops/vision/box.h"

#include <limits>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

const double kNoScore = -std::numeric_limits<double>::infinity();

std::vector<std::string> box_format_names() { return {"corner", "center"}; }

Value box_columns(Builder& b, Value rows, std::int64_t first, const Dim& count) {
  Shape result = b.shape(rows);
  const std::size_t axis = result.rank() - 1;
  if (first == 0 && result[axis] == count) return rows;
  result[axis] = count;
  return onnx::slice(b, rows, {{static_cast<std::int64_t>(axis), first, Dim(first) + count}},
                     result);
}

Value rows_by_index(Builder& b, Value rows, Value indices) {
  const Shape& from = b.shape(rows);
  return b.emit("GatherND", {rows, onnx::unsqueeze(b, indices, {2})}, {{"batch_dims", 1}},
                {b.dtype(rows), Shape{from[0], b.shape(indices)[1], from[2]}});
}

Value ordered_corners(Builder& b, Value boxes) {
  const Value low = box_columns(b, boxes, 0, 2);
  return b.concat({low, b.binary("Max", low, box_columns(b, boxes, 2, 2))}, 2);
}

Value suppress_boxes(Builder& b, BoxFormat format, Value boxes, Value class_scores, Value scores,
                     double threshold, bool positive, const Dim& most) {
  const Dim& count = most.known() ? most : b.shape(scores)[1];
  // A free size need not be read: there are no more boxes than that anyway, or they are cut later.
  const std::int64_t limit =
      count.is_constant() ? count.value() : std::numeric_limits<std::int32_t>::max();
  // Not every runtime takes scalars, nor a negative threshold.
  const auto number = [&](double value) {
    return b.constant(make_tensor<float>({1}, {static_cast<float>(value)}));
  };
  const Value selected = b.emit("NonMaxSuppression",
                                {boxes, class_scores, b.ints({limit}), number(threshold),
                                 number(positive ? 0 : std::numeric_limits<float>::lowest())},
                                {{"center_point_box", format == BoxFormat::kCenter}},
                                {DType::kInt64, Shape{Dim(), 3}});
  const Value places = b.gather(selected, b.ints({0, 2}), 1);
  const Value kept = b.emit("GatherND", {scores, places}, {}, {DType::kFloat32, Shape{Dim()}});
  const Value nothing = onnx::fill(b, DType::kFloat32, kNoScore, b.shape(scores));
  return b.emit("ScatterND", {nothing, places, kept}, {}, b.type(scores));
}

}  // namespace mx2onnx
