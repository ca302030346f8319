// JSON documents as plain values, read and written through nlohmann/json, which no other file
// includes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mx2onnx {

struct JsonValue;
using JsonArray = std::vector<JsonValue>;
/// Members in the order of the text; a repeated key stays repeated.
using JsonObject = std::vector<std::pair<std::string, JsonValue>>;

struct JsonValue {
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, JsonArray, JsonObject>
      value = nullptr;

  const bool* as_bool() const { return std::get_if<bool>(&value); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&value); }
  const std::string* as_string() const { return std::get_if<std::string>(&value); }
  const JsonArray* as_array() const { return std::get_if<JsonArray>(&value); }
  const JsonObject* as_object() const { return std::get_if<JsonObject>(&value); }
  /// The last member with this key; null if there is none or this is not an object.
  const JsonValue* find(std::string_view key) const;
  /// "an object", "a string"… for error messages.
  std::string_view kind_name() const;
};

/// Parses a document. Bad syntax, and nesting deeper than 512, fail with kFormat, line and column.
JsonValue parse_json(std::string_view text);

/// The document as text, two spaces of indentation.
std::string json_text(const JsonValue& value);

/// The same on one line, without spaces.
std::string json_line(const JsonValue& value);

}  // namespace mx2onnx
