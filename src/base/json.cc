#include "base/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/interruption.h"
#include "base/text.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostNesting = 512;

using Sax = nlohmann::json_sax<nlohmann::json>;

// Builds JsonValues from the parser's events. The parser keeps no recursion of its own, so the
// depth limit here bounds every later recursion over the document too.
class Builder final : public Sax {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  JsonValue take() { return std::move(root_); }

  bool null() override { return add(JsonValue{nullptr}); }
  bool boolean(bool value) override { return add(JsonValue{value}); }
  bool number_integer(number_integer_t value) override { return add(JsonValue{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) {
      return add(JsonValue{static_cast<double>(value)});
    }
    return add(JsonValue{static_cast<std::int64_t>(value)});
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return add(JsonValue{value});
  }
  bool string(string_t& value) override { return add(JsonValue{std::move(value)}); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override {
    interruption_point();
    return open(JsonValue{JsonObject{}});
  }
  bool key(string_t& value) override {
    std::get<JsonObject>(open_.back()->value).emplace_back(std::move(value), JsonValue{});
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(JsonValue{JsonArray{}}); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& /*error*/) override {
    const auto before = text_.substr(0, std::min(position > 0 ? position - 1 : 0, text_.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = before.size() - (before.rfind('\n') + 1) + 1;
    if (position > text_.size()) {
      fail(ErrorCode::kFormat,
           fmt::format("line {}, column {}: the JSON text ends too early", line, column));
    }
    fail(ErrorCode::kFormat,
         fmt::format("line {}, column {}: not valid JSON near \"{}\"", line, column, tail(token)));
  }

 private:
  // The end of what the parser read last.
  static std::string tail(const std::string& token) {
    constexpr std::size_t kMost = 20;
    return token.size() > kMost ? token.substr(token.size() - kMost) : token;
  }

  JsonValue* place(JsonValue&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (auto* array = std::get_if<JsonArray>(&open_.back()->value)) {
      array->push_back(std::move(value));
      return &array->back();
    }
    auto& member = std::get<JsonObject>(open_.back()->value).back();
    member.second = std::move(value);
    return &member.second;
  }
  bool add(JsonValue&& value) {
    place(std::move(value));
    return true;
  }
  bool open(JsonValue&& value) {
    if (open_.size() >= kMostNesting) {
      fail(ErrorCode::kFormat, fmt::format("JSON nested deeper than {} levels", kMostNesting));
    }
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  JsonValue root_;
  std::vector<JsonValue*> open_;
};

nlohmann::ordered_json to_nlohmann(const JsonValue& value) {
  if (const auto* array = value.as_array()) {
    auto result = nlohmann::ordered_json::array();
    for (const auto& element : *array) result.push_back(to_nlohmann(element));
    return result;
  }
  if (const auto* object = value.as_object()) {
    auto result = nlohmann::ordered_json::object();
    for (const auto& [key, member] : *object) result[key] = to_nlohmann(member);
    return result;
  }
  if (const auto* text = value.as_string()) return *text;
  if (const auto* integer = value.as_int()) return *integer;
  if (const auto* boolean = value.as_bool()) return *boolean;
  if (const auto* number = std::get_if<double>(&value.value)) return *number;
  return nullptr;
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
  const auto* object = as_object();
  if (object == nullptr) return nullptr;
  const JsonValue* found = nullptr;
  for (const auto& [name, member] : *object) {
    if (name == key) found = &member;
  }
  return found;
}

std::string_view JsonValue::kind_name() const {
  constexpr std::string_view kNames[] = {"null",     "a boolean", "an integer", "a number",
                                         "a string", "an array",  "an object"};
  return kNames[value.index()];
}

JsonValue parse_json(std::string_view text) {
  Builder builder(text);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

namespace {

// Names from hostile files may not be UTF-8; they are replaced, not refused.
std::string dump(const JsonValue& value, int indentation) {
  return json_escaped(
      to_nlohmann(value).dump(indentation, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

std::string json_text(const JsonValue& value) { return dump(value, 2); }

std::string json_line(const JsonValue& value) { return dump(value, -1); }

}  // namespace mx2onnx
