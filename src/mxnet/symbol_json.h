// Reads `*-symbol.json` of every MXNet from 0.8 to 2.0.
#pragma once

#include <string_view>

#include "mxnet/symbol.h"

namespace mx2onnx::mxnet {

/// Parses the text of a symbol file. Whatever is not a symbol fails with kFormat and the path of
/// the offending JSON value, `nodes[17].inputs[0]`.
Symbol parse_symbol(std::string_view text);

}  // namespace mx2onnx::mxnet
