// Small helpers for reading and writing text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mx2onnx {

std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

/// Splits off `head` up to the separator; nothing if the separator does not occur.
std::optional<std::pair<std::string_view, std::string_view>> split_once(std::string_view text,
                                                                        char separator);

/// `text` between double quotes, `printable` and cut to about 60 bytes: for error messages, which
/// may quote hostile files.
std::string in_quotes(std::string_view text);

/// A JSON text, of UTF-8, with what `printable` escapes as JSON's own escapes: the same document,
/// fit for a terminal. Line feeds stay, which stand between members only.
std::string json_escaped(std::string_view json);

/// "a", "a or b", "a, b or c".
std::string join_alternatives(std::span<const std::string> words);

/// Whole numbers and decimals as MXNet and the command line write them; nothing unless all of the
/// text is the number.
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<double> parse_double(std::string_view text);

}  // namespace mx2onnx
