// Nets with other heads: as many classes, or as large a vocabulary, as the file's arrays say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mxnet/symbol.h"

namespace mx2onnx::architectures {

/// The new shapes of variables, by name.
using Shapes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

/// Changes `num_hidden`, `num_filter` and `input_dim` of the operators that use the variables whose
/// shape is another than the net's. Where the graph has sizes in it that depend on the change and
/// are not told by it (a detector's reshapes by its classes), nothing is changed, and the name of
/// the operator or the variable in the way comes back.
std::optional<std::string> fit_to_shapes(mxnet::Symbol& symbol, const Shapes& own,
                                         const Shapes& changed);

}  // namespace mx2onnx::architectures
