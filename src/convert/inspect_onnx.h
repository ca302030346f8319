// Looking at an ONNX file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/mapped_file.h"
#include "ir/dtype.h"
#include "mx2onnx/inspect.h"
#include "onnx/reader.h"

namespace mx2onnx {

/// Fails with kFormat if the file is no ONNX model.
Inspection inspect_onnx(const std::shared_ptr<const MappedFile>& file);

/// The element type with ONNX's number; kUnknown for what MXNet does not have.
DType stored_dtype(std::int64_t code);
/// The type as a report has it.
PortReport describe_stored(const onnx::StoredValue& value);
/// What a weight takes, in the file or beside it; nothing if its sizes are none.
std::optional<std::uint64_t> stored_bytes(const onnx::StoredWeight& weight);

}  // namespace mx2onnx
