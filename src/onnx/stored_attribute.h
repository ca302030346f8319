// The value of a stored attribute as a text.
#pragma once

#include <string>

#include "onnx/reader.h"

namespace mx2onnx::onnx {

/// "[1, 1]"; of long lists and texts the beginning, of tensors and graphs a word.
std::string attribute_text(const StoredAttribute& attribute);

}  // namespace mx2onnx::onnx
