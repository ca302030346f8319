// What a node's outputs are, of its inputs: for files that do not say it. No shape inference of
// ONNX: what is not known here stays unknown, and lint says less.
#pragma once

#include <cstddef>
#include <vector>

#include "lint/facts.h"

namespace mx2onnx::lint {

/// `inputs` has a null for each input that is absent or not known.
ValueFacts facts_of_output(const onnx::StoredNode& node,
                           const std::vector<const ValueFacts*>& inputs, std::size_t output);

}  // namespace mx2onnx::lint
