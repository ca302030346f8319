// What the report says where a higher opset is written than the one that was asked for.
#pragma once

#include <string>

#include "convert/conversion.h"

namespace mx2onnx {

/// Puts the warning before the others; `node`, which may be empty, is the place, and `what` needs
/// the opset.
void say_raised(Conversion& result, const ConvertOptions& options, const std::string& node,
                const std::string& what);

}  // namespace mx2onnx
