// Weights without a symbol: the nets whose parameter files are known.
#pragma once

#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "source/find_model.h"

namespace mx2onnx {

/// Where parameters were found alone: finds the net that they are of, and adds to the model its
/// symbol, inputs, names of classes and metadata. The parameters are then called as the symbol
/// calls them. With ConvertOptions::prepare the preparation of the image is filled in where the
/// options do not say it. Fails with kModel if the net is not known, with kUsage if the options ask
/// for what does not go with the model.
void recognise_net(source::FoundModel& found, mxnet::ParameterSet& params, ConvertOptions& options);

}  // namespace mx2onnx
