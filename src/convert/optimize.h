// What becomes of an ONNX graph between its translation and the check.
#pragma once

#include "convert/conversion.h"

namespace mx2onnx {

/// Runs the passes that the options ask for, then the spellings of targets, half precision and
/// weights of fewer bits; notes in the report and the result what they did.
void optimize(Conversion& result, const ConvertOptions& options);

}  // namespace mx2onnx
