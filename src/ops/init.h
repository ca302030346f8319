// What arrays that are made, and those that are drawn, have in common.
#pragma once

#include <optional>

#include "ops/op_def.h"

namespace mx2onnx {

/// The shape that an attribute declares. An unknown size is 0, as it had to be before NumPy
/// semantics, or there -1.
Shape declared_shape(const std::optional<Tuple>& shape, bool np_shape);

}  // namespace mx2onnx
