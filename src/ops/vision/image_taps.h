// Which pixels OpenCV weighs for each one of a resized image, along one axis, and by how much
// (OpenCV 3.4.2, modules/imgproc/src/resize.cpp).
#pragma once

#include <cstdint>
#include <vector>

namespace mx2onnx {

/// Of a few pixels that are weighed for each one of the result; the weights are float32 numbers.
struct Taps {
  /// [tap][pixel of the result]
  std::vector<std::vector<std::int64_t>> at;
  std::vector<std::vector<double>> weights;

  /// The number of pixels of the result.
  std::size_t size() const { return at.front().size(); }
};

/// Linear: two taps. OpenCV moves columns beyond the edge onto it, but only clamps rows.
Taps linear_taps(std::int64_t from, std::int64_t to, bool is_columns);
/// Cubic: four taps, with OpenCV's -0.75.
Taps cubic_taps(std::int64_t from, std::int64_t to);
/// Lanczos: eight taps.
Taps lanczos_taps(std::int64_t from, std::int64_t to);
/// The pixels that one of a smaller image covers, by the part of them.
Taps area_taps(std::int64_t from, std::int64_t to);
/// What stands in for areas where one of the axes becomes larger: two taps.
Taps larger_area_taps(std::int64_t from, std::int64_t to, bool is_columns);

}  // namespace mx2onnx
