// A picture as the JSON document that the page and other tools read.
#pragma once

#include "base/json.h"
#include "mx2onnx/picture.h"

namespace mx2onnx::picture {

JsonValue document(const Picture& picture);

}  // namespace mx2onnx::picture
