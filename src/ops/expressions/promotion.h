// The element type that operands of several element types are brought to, as MXNet's NumPy
// operators have it (which is not always what NumPy has: an int64 and a float16 are a float16).
#pragma once

#include "ir/dtype.h"

namespace mx2onnx {

/// Of arithmetic: the wider floating-point type, or the one there is; of integers the one that
/// holds both, with uint8 and int8 int16; bool gives way to everything.
DType promoted(DType a, DType b);

/// Of comparisons, which MXNet makes in float64: the narrowest type that holds the elements of
/// both. One type is itself.
DType exact_common(DType a, DType b);

/// Of functions whose values are not whole (sqrt, sin, …): floating-point types stay, int32 and
/// int64 become float32, narrower ones and bool float16.
DType floating_for(DType dtype);

}  // namespace mx2onnx
