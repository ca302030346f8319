// The value of an AttributeProto as a text.
#pragma once

#include <protozero/pbf_reader.hpp>
#include <string>

namespace mx2onnx::onnx {

/// "[1, 1]"; of long lists and texts the beginning, of tensors and graphs a word. Throws what
/// protozero throws.
std::string attribute_text(protozero::pbf_reader reader);

}  // namespace mx2onnx::onnx
