// For programs around the library.
#pragma once

#include "mx2onnx/export.h"

namespace mx2onnx {

/// Makes signals harmless, for the whole process: SIGINT, SIGTERM and SIGHUP remove the temporary
/// files of conversions before they end it; closed pipes (SIGPIPE) and limits on the size of files
/// (SIGXFSZ) become an Error with kIo.
MX2ONNX_EXPORT void handle_signals();

}  // namespace mx2onnx
