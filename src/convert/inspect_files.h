// Looking at files that are no symbol.
#pragma once

#include <optional>

#include "mx2onnx/inspect.h"

namespace mx2onnx {

/// What is in the source if its first file is of parameters or an ONNX file; nothing otherwise.
/// Files are told apart by their first bytes.
std::optional<Inspection> inspect_other_file(const Source& source, const ConvertOptions& options);

}  // namespace mx2onnx
