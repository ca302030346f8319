// What the sizes of inputs are called that the user gives no names: `batch`, `height`, `length`…
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "infer/infer.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// A dimension of an input of the model: its node, and the axis.
using InputAxis = std::pair<std::size_t, std::size_t>;

/// What the first dimension is called.
inline constexpr std::string_view kBatch = "batch";

/// What a dimension usually is, where no operator says more: (batch, channels, height, width)…
std::string_view usual_meaning(std::size_t rank, std::size_t axis);

/// The number that people take for a size that is called so; `choice` counts through several.
/// 0 if there are no more.
std::int64_t usual_size(std::string_view name, std::size_t choice);

/// Which sizes share a name that the model does not make equal.
enum class SameName {
  kForced,      ///< None but those that it broadcasts with each other.
  kBatches,     ///< The first axes, that mean nothing else, of inputs that have others.
  kAllBatches,  ///< All first axes that mean nothing else.
  kAll,         ///< All that mean the same.
};

/// Names for the dimensions of `symbols`, which are those that got a symbol of their own, by that
/// symbol's name, when `types` were inferred: by the operators that take them, else by their
/// position.
std::map<InputAxis, std::string> name_axes(const Model& model, const InferResult& types,
                                           const std::map<std::string, InputAxis>& symbols,
                                           SameName same);

}  // namespace mx2onnx
