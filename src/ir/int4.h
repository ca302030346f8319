// An element type that ONNX has and MXNet has not: weights are stored in it, and nothing is
// computed.
#pragma once

#include "ir/dtype.h"

namespace mx2onnx {

/// Two elements to a byte, the first one in the lower half; rows do not begin anew. It is no value
/// of DType, as no operator takes it but the one that makes real numbers of it: dtype_name and
/// onnx_type_code know it, and dtype_size is 0.
constexpr DType kInt4 = static_cast<DType>(static_cast<int>(DType::kUnknown) + 1);

}  // namespace mx2onnx
