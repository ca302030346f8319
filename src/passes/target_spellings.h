// Other spellings of what some runtimes compute wrongly: for `convert --target` alone, as they cost
// a node in the others. Each gives the number of changes it made.
#pragma once

#include <cstddef>

#include "onnx/graph.h"

namespace mx2onnx::passes {

/// An AveragePool that counts its padding becomes a Pad and an AveragePool without padding: the
/// same numbers, to the last bit.
std::size_t pad_before_average_pool(onnx::Graph& graph);

/// A BatchNormalization whose statistics are constants becomes a Mul and an Add, of factors that
/// are computed in double and rounded once.
std::size_t spell_out_batch_norm(onnx::Graph& graph);

}  // namespace mx2onnx::passes
