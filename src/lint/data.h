// The table of runtimes as it lies in the library: data/runtimes.tsv.
#pragma once

#include <span>

namespace mx2onnx::lint {

std::span<const unsigned char> runtime_rules();

}  // namespace mx2onnx::lint
