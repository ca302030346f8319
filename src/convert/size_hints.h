// Sizes that the user gave and that are not in MXNet's order: found by trying the right one.
#pragma once

#include <functional>
#include <string>

#include "mx2onnx/convert.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// What to say about the sizes in the options, with which the model does not convert: channels that
/// stand last, or a batch that is missing. Empty if it is neither. `error` is what it fails with;
/// `converts` tries other options.
std::string hint_for_sizes(const Error& error, const Model& model, const ConvertOptions& options,
                           const std::function<bool(const ConvertOptions&)>& converts);

}  // namespace mx2onnx
