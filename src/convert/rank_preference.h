// How many dimensions people give an input that could have several numbers of them.
#pragma once

#include <cstddef>
#include <optional>

#include "ops/record/model.h"

namespace mx2onnx {

/// By what takes the input, and by its name: 2 for indices into a table, 1 for lengths, 3 for a
/// sequence of features, as many as a parameter has that it is broadcast with. Nothing if neither
/// says anything.
std::optional<std::size_t> preferred_rank(const Model& model, std::size_t input);

/// Whether an operator lines the shapes of its two inputs up from the right.
bool is_broadcast_function(const mxnet::Node& node);

/// Whether all that takes the input flattens it to two dimensions.
bool is_flattened_first(const Model& model, std::size_t input);

/// Whether all that takes the input splits it, as into the steps of a sequence.
bool is_split_first(const Model& model, std::size_t input);

}  // namespace mx2onnx
