// Pooling of regions without ONNX's operators for it: a loop over the regions that gathers the
// pixels of each. For opsets and element types whose RoiAlign and MaxRoiPool no runtime has, and
// for what these cannot express.
#pragma once

#include <cstdint>

#include "ops/record/attr_text.h"
#include "ops/record/translation.h"

namespace mx2onnx {

/// As C's round: halves away from 0.
onnx::Value round_away(onnx::Builder& b, onnx::Value x);

struct RoiGrid {
  Tuple pooled_size;
  double spatial_scale = 1;
  /// Points per bin and axis; not positive: as many as the bin has pixels.
  std::int64_t sample_ratio = -1;
  /// Pixels are where their centers are.
  bool aligned = false;
  /// Regions are center, size and an angle in degrees.
  bool rotated = false;
};

/// The averages of interpolated points in the bins of the regions: (regions, channels, rows,
/// columns). Input 0 is the data, input 1 the regions.
onnx::Value average_points(Translation& t, const RoiGrid& grid);

/// The maxima in the bins.
onnx::Value maximum_pixels(Translation& t, const RoiGrid& grid);

}  // namespace mx2onnx
