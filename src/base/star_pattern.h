// Patterns in which `*` stands for any text, as the user writes them for names.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace mx2onnx {

/// The texts that the stars matched, each as short as possible but the last; nothing if the pattern
/// does not match all of the name.
std::optional<std::vector<std::string_view>> match_stars(std::string_view name,
                                                         std::string_view pattern);

}  // namespace mx2onnx
