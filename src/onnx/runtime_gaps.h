// Which element types of an operator ONNX Runtime's CPU provider has no kernel for, though the
// operator's schema has them: what the builder puts casts around.
#pragma once

#include <cstddef>
#include <string_view>

#include "ir/dtype.h"

namespace mx2onnx::onnx {

/// The input whose element type the kernels go by.
std::size_t telling_input(std::string_view op_type);

/// The element type to compute in: `dtype` itself if there is a kernel for it, or nothing to be
/// done.
DType runtime_dtype(std::string_view op_type, DType dtype);

}  // namespace mx2onnx::onnx
