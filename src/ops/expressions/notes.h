// Notes that operators of several families have.
#pragma once

#include <string_view>

namespace mx2onnx {

/// Of operators whose result is -0 in MXNet and 0 in ONNX Runtime for some inputs, or the reverse
/// (all operators of up to three inputs were asked about 0 and -0).
constexpr std::string_view kZeroSignNote =
    "Where the result is 0, its sign may be another one than MXNet's.";

/// Of operators of which no MXNet computes golden values on a CPU.
constexpr std::string_view kGpuOnlyNote =
    "MXNet has it for GPUs only: this follows its source, and is tested against NumPy.";

}  // namespace mx2onnx
