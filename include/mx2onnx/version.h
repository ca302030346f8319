#pragma once

namespace mx2onnx {

/// The version of the library; the same as the Python package's.
constexpr const char* kVersion = "0.1.0";

}  // namespace mx2onnx
