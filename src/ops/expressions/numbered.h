// Inputs and outputs of which a node has as many as an attribute says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// Most inputs, outputs and locations of such a node; a bound against hostile files.
constexpr std::int64_t kMostPorts = 10000;

/// NAME0, NAME1, …
std::vector<std::string> numbered(std::string_view name, std::int64_t count);
/// The data inputs NAME0, NAME1, …
std::vector<InputDef> numbered_inputs(std::string_view name, std::int64_t count);

}  // namespace mx2onnx
