// Sizes from text, in the form that Dim::to_string writes and a little more.
#pragma once

#include <optional>
#include <string_view>

#include "ir/dim.h"

namespace mx2onnx {

/// "3", "batch", "batch*2 + 1", "(height + 1)//2", "min(a, b)"; "?" is an unknown size. Names are
/// sizes of the arena. Nothing if the text is not a size.
std::optional<Dim> parse_dim(std::string_view text, DimArena& arena);

}  // namespace mx2onnx
