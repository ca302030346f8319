#include "ops/record/attr_text.h"

#include <algorithm>
#include <string>

#include "base/checked.h"
#include "base/text.h"

namespace mx2onnx {
namespace {

bool is_none(std::string_view text) { return text == "None"; }

// Python 2 wrote long integers as "2L".
std::string_view without_long_suffix(std::string_view text) {
  if (text.size() > 1 && (text.back() == 'L' || text.back() == 'l')) text.remove_suffix(1);
  return text;
}

bool parse_element(std::string_view text, std::int64_t& value) {
  const auto number = parse_int(without_long_suffix(text));
  if (number) value = *number;
  return number.has_value();
}

bool parse_element(std::string_view text, double& value) { return parse_attr(text, value); }

bool parse_element(std::string_view text, std::optional<std::int64_t>& value) {
  if (is_none(text)) {
    value.reset();
    return true;
  }
  std::int64_t number = 0;
  if (!parse_element(text, number)) return false;
  // Where None is a value a number is an index, and INT64_MAX says "to the end": farther than all
  // arrays is far enough.
  value = std::clamp(number, -kLargestSize / 2, kLargestSize / 2);
  return true;
}

// "(a, b)", "[a, b]", "(a,)", "()" and, for one element, "a".
template <typename Element>
bool parse_tuple(std::string_view text, std::vector<Element>& value) {
  text = trim(text);
  value.clear();
  if (text.empty()) return false;
  const bool round = text.front() == '(' && text.back() == ')';
  const bool square = text.front() == '[' && text.back() == ']';
  if (round || square) {
    if (text.size() < 2) return false;
    text = trim(text.substr(1, text.size() - 2));
    if (text.empty()) return true;
    if (text.back() == ',') text.remove_suffix(1);
  }
  for (const auto part : split(text, ',')) {
    Element element = {};
    if (!parse_element(trim(part), element)) return false;
    value.push_back(element);
    if (!round && !square && value.size() > 1) return false;
  }
  return true;
}

}  // namespace

bool parse_attr(std::string_view text, bool& value) {
  const std::string word = lower(trim(text));
  if (word == "true" || word == "1") {
    value = true;
  } else if (word == "false" || word == "0") {
    value = false;
  } else {
    return false;
  }
  return true;
}

bool parse_attr(std::string_view text, std::int64_t& value) {
  return parse_element(trim(text), value);
}

bool parse_attr(std::string_view text, double& value) {
  text = trim(text);
  if (text.size() > 1 && (text.back() == 'f' || text.back() == 'F') &&
      lower(text).find("inf") == std::string::npos) {
    text.remove_suffix(1);
  }
  const auto number = parse_double(text);
  if (number) value = *number;
  return number.has_value();
}

bool parse_attr(std::string_view text, Tuple& value) { return parse_tuple(text, value); }

bool parse_attr(std::string_view text, OptionalTuple& value) {
  // None alone is no tuple, and not a tuple of one None.
  return !is_none(trim(text)) && parse_tuple(text, value);
}

bool parse_attr(std::string_view text, FloatTuple& value) { return parse_tuple(text, value); }

}  // namespace mx2onnx
