// Files that do not say which MXNet wrote them.
#pragma once

#include "mx2onnx/convert.h"

namespace mx2onnx {

/// The last version whose Pooling rounded up (it did until July 2016).
constexpr const char* kLastOldPooling = "0.7";

/// Whether the model may be of that version or an older one: neither its file nor the user says a
/// version, and an operator that it has meant something else then. Fails as load_symbol does.
bool may_have_old_pooling(const Source& source, const ConvertOptions& options);

/// Says that the model was taken for one.
Diagnostic old_pooling_warning();

}  // namespace mx2onnx
