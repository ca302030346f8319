// Reading the parts of a model from wherever they are.
#pragma once

#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "mxnet/symbol.h"

namespace mx2onnx {

mxnet::ParameterSet load_parameters(const Source& source, const ConvertOptions& options);

/// The symbol, upgraded to what MXNet 1.9.1 would have in memory, with the outputs that the options
/// ask for.
mxnet::Symbol load_symbol(const Source& source, const ConvertOptions& options);

}  // namespace mx2onnx
