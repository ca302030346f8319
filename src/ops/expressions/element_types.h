// Which element types MXNet computes on. What it does not is refused here, in one wording, and a
// translation returns when it hears false.
#pragma once

#include "ops/record/op_def.h"

namespace mx2onnx {

/// Of the first input: float32 or float64, as MXNet's linear algebra has it.
bool expect_real(Translation& t);
/// Of the first input: any floating-point type.
bool expect_floating(Translation& t);

}  // namespace mx2onnx
