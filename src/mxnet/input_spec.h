// What a user says of a model's input: `data:batch,3,224,224:float32`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/dim.h"
#include "ir/dtype.h"
#include "mx2onnx/convert.h"

namespace mx2onnx::mxnet {

/// Parses `NAME`, `NAME:DIMS`, `NAME:DTYPE` or `NAME:DIMS:DTYPE`. DIMS are numbers, names of free
/// sizes, or `?` for a size that is not known, between commas; none at all is a scalar. Fails with
/// kUsage.
InputSpec parse_input_spec(std::string_view text);

/// Whether a size is said not to be known: "?", "-1", "None", and "0" where that is MXNet's
/// unknown.
bool is_unknown_dim(std::string_view text, bool np_shape);

/// The spec's dims as Dims; a name that occurs twice is one size.
std::vector<Dim> spec_dims(const InputSpec& spec, bool np_shape, DimArena& arena);

}  // namespace mx2onnx::mxnet
