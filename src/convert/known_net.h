// Weights without a symbol: the nets whose parameter files are known.
#pragma once

#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "source/find_model.h"

namespace mx2onnx {

/// Where parameters were found alone: finds the net that they are of, and adds to the model its
/// symbol, inputs, names of classes, preparation and metadata. The parameters are then called as
/// the symbol calls them; so are those of `save_parameters` beside a symbol, if their net is known.
/// Fails with kModel if the net is not known, with kUsage if the options ask for what does not go
/// with the model.
void recognise_net(source::FoundModel& found, mxnet::ParameterSet& params,
                   const ConvertOptions& options);

}  // namespace mx2onnx
