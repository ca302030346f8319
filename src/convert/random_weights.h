// Parameters made up from their names, for looking at a graph without its weights.
#pragma once

#include <string_view>

#include "ir/tensor.h"

namespace mx2onnx {

/// Small random numbers, always the same for the same name and type: uniform in [-0.1, 0.1), and
/// [0.5, 1.5) for names that end in `var` or `gamma`, which divide or scale; 0 for integers. Made
/// while they are written; the type must be static.
Tensor random_weights(std::string_view name, const TensorType& type);

}  // namespace mx2onnx
