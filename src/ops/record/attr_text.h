// MXNet's spellings of attribute values: "(3, 3)", "None", "True", "1", "[2,2]", "(1, None)".
// MXNet 1.x parses them with dmlc-core's parameter module; MXNet 2 writes tuples with brackets and
// booleans as numbers. Each function gives nothing for a text that MXNet would refuse.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mx2onnx {

/// A shape or a tuple of integers.
using Tuple = std::vector<std::int64_t>;
/// A tuple some of whose elements may be "None" (the bounds of `slice`).
using OptionalTuple = std::vector<std::optional<std::int64_t>>;
/// A tuple of decimals.
using FloatTuple = std::vector<double>;

bool parse_attr(std::string_view text, bool& value);
bool parse_attr(std::string_view text, std::int64_t& value);
bool parse_attr(std::string_view text, double& value);
bool parse_attr(std::string_view text, Tuple& value);
bool parse_attr(std::string_view text, OptionalTuple& value);
bool parse_attr(std::string_view text, FloatTuple& value);

}  // namespace mx2onnx
