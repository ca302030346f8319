// Shapes of inputs that a model takes, for people to begin with where nothing says which are meant.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "convert/trial.h"

namespace mx2onnx {

/// A trial in which the inputs `open` have shapes that fit together; `shapes` has what is known of
/// the numbers of dimensions. Nothing if none is found soon.
std::optional<Trial> find_example(TrialRunner& runner, const std::map<std::size_t, Shape>& shapes,
                                  const std::vector<std::size_t>& open);

}  // namespace mx2onnx
