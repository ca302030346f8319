// Looking at an ONNX file.
#pragma once

#include <memory>

#include "base/mapped_file.h"
#include "mx2onnx/inspect.h"

namespace mx2onnx {

/// Fails with kFormat if the file is no ONNX model.
Inspection inspect_onnx(const std::shared_ptr<const MappedFile>& file);

}  // namespace mx2onnx
