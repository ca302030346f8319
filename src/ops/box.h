// What the operators on boxes share: the two ways to write a box, and its columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnx/builder.h"

namespace mx2onnx {

/// Two corners (xmin, ymin, xmax, ymax), or the center and the size (x, y, width, height).
enum class BoxFormat { kCorner, kCenter };
std::vector<std::string> box_format_names();

/// Some columns of the last axis.
onnx::Value box_columns(onnx::Builder& b, onnx::Value rows, std::int64_t first, const Dim& count);

}  // namespace mx2onnx
