// What the operators on boxes share: the two ways to write a box, columns and rows of boxes, and
// non-maximum suppression.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnx/builder.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {

/// Two corners (xmin, ymin, xmax, ymax), or the center and the size (x, y, width, height).
enum class BoxFormat { kCorner, kCenter };
std::vector<std::string> box_format_names();

/// Some columns of the last axis.
onnx::Value box_columns(onnx::Builder& b, onnx::Value rows, std::int64_t first, const Dim& count);

/// Rows of (batch, boxes, columns) by their index (batch, k) within each batch.
onnx::Value rows_by_index(onnx::Builder& b, onnx::Value rows, onnx::Value indices);

/// Boxes (batch, boxes, 4) of two corners, empty where these are the wrong way round: ONNX would
/// swap them, but to MXNet such boxes are empty.
onnx::Value ordered_corners(onnx::Builder& b, onnx::Value boxes);

/// Where the score of a box is `kNoScore`, there is no box.
extern const double kNoScore;

/// The scores (batch, boxes) of the boxes that no better box of their class overlaps by more than
/// `threshold`, and kNoScore at the others. `class_scores` has them by class, (batch, classes,
/// boxes). Of equal scores the first is the better one. Of each class at most `most` boxes are
/// kept, all if it is unknown. With `positive`, all scores that there are lie above 0.
onnx::Value suppress_boxes(onnx::Builder& b, BoxFormat format, onnx::Value boxes,
                           onnx::Value class_scores, onnx::Value scores, double threshold,
                           bool positive, const Dim& most = Dim());

/// Of boxes (batch, boxes, 4), the best first, those that are `valid` (batch, boxes) and that no
/// better box that is kept overlaps by more than `threshold`, in MXNet's arithmetic (nms_impl of
/// bounding_box-common.h). With `classes` (batch, boxes), only boxes of one class drop each other.
onnx::Value keep_in_turn(onnx::Builder& b, const Stepwise& steps, BoxFormat format,
                         onnx::Value boxes, onnx::Value classes, onnx::Value valid,
                         double threshold);

}  // namespace mx2onnx
