// A look at a model: the inspection, and what it was made of.
#pragma once

#include <vector>

#include "convert/conversion.h"
#include "mx2onnx/inspect.h"

namespace mx2onnx {

struct Look {
  Inspection inspection;
  /// As far as it came; without a model if the source is no graph of MXNet.
  Conversion conversion;
  std::vector<EntryInfo> types;       ///< Of the model's entries, as far as they are known.
  std::vector<NodeProblem> problems;  ///< Of single nodes.
};

/// See `inspect`. What becomes of each node is kept if `traced`.
Look look_at(const Source& source, const ConvertOptions& options, bool traced = false);

}  // namespace mx2onnx
