// Segmentation nets for pictures of another size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mxnet/symbol.h"

namespace mx2onnx::architectures {

struct PictureSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Changes the sizes that MXNet wrote into a segmentation net when it was traced as GluonCV's
/// `crop_size` does: all of them are the picture's, or a part of it. If a part is not whole,
/// nothing is changed, and the name of the node comes back.
std::optional<std::string> scale_sizes(mxnet::Symbol& symbol, PictureSize traced,
                                       PictureSize wanted);

}  // namespace mx2onnx::architectures
