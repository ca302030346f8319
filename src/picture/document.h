// A picture as the JSON document that the page and other tools read.
#pragma once

#include <string>

#include "mx2onnx/picture.h"

namespace mx2onnx::picture {

/// With a line for each node and value.
std::string document_text(const Picture& picture);

}  // namespace mx2onnx::picture
