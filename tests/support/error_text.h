// For tests that compare whole error texts.
#pragma once

#include <functional>
#include <string>

namespace mx2onnx {

/// The text of the Error that the function throws; "no error" if it throws none.
std::string error_text(const std::function<void()>& function);

}  // namespace mx2onnx
