#include "ops/record/attr_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/checked.h"
#include "base/nearest.h"
#include "base/text.h"

namespace mx2onnx {
namespace attr_detail {

std::string kind_of(bool) { return "boolean"; }
std::string kind_of(std::int64_t) { return "integer"; }
std::string kind_of(double) { return "number"; }
std::string kind_of(const std::string&) { return "text"; }
std::string kind_of(const Tuple&) { return "tuple of integers"; }
std::string kind_of(const OptionalTuple&) { return "tuple of integers or None"; }
std::string kind_of(const FloatTuple&) { return "tuple of numbers"; }

std::string text_of(bool value) { return value ? "True" : "False"; }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) { return fmt::format("{:g}", value); }
std::string text_of(const std::string& value) { return value; }

namespace {

std::string text_of(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "None";
}

template <typename T>
std::string tuple_text(const std::vector<T>& value) {
  std::string text = "(";
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i > 0) text += ", ";
    if constexpr (std::is_same_v<T, double>) {
      // An optional integer would do for it, too.
      text += attr_detail::text_of(value[i]);
    } else {
      text += text_of(value[i]);
    }
  }
  return text + (value.size() == 1 ? ",)" : ")");
}

template <typename T, typename ToDouble>
bool tuple_fits(const AttrField& field, const std::vector<T>& value, ToDouble to_double) {
  return value.size() >= field.tuple_sizes.first && value.size() <= field.tuple_sizes.second &&
         std::all_of(value.begin(), value.end(),
                     [&](const T& element) { return field.in_bounds(to_double(element)); });
}

}  // namespace

std::string text_of(const Tuple& value) { return tuple_text(value); }
std::string text_of(const OptionalTuple& value) { return tuple_text(value); }
std::string text_of(const FloatTuple& value) { return tuple_text(value); }

bool fits(const AttrField& /*field*/, bool /*value*/) { return true; }
// MXNet's numbers have 32 bits, but for a few that say so by their bounds.
bool fits(const AttrField& field, std::int64_t value) {
  const bool is_narrow = value >= std::numeric_limits<std::int32_t>::min() &&
                         value <= std::numeric_limits<std::int32_t>::max();
  const bool is_wide = field.maximum && *field.maximum > std::numeric_limits<std::int32_t>::max();
  return (is_narrow || is_wide) && field.in_bounds(static_cast<double>(value));
}
bool fits(const AttrField& field, double value) { return field.in_bounds(value); }
bool fits(const AttrField& /*field*/, const std::string& /*value*/) { return true; }
bool fits(const AttrField& field, const Tuple& value) {
  return std::all_of(value.begin(), value.end(), is_size_in_range) &&
         tuple_fits(field, value, [](std::int64_t e) { return static_cast<double>(e); });
}
bool fits(const AttrField& field, const OptionalTuple& value) {
  return tuple_fits(field, value, [&](const std::optional<std::int64_t>& e) {
    return e ? static_cast<double>(*e) : field.minimum.value_or(0);
  });
}
bool fits(const AttrField& field, const FloatTuple& value) {
  return tuple_fits(field, value, [](double e) { return e; });
}

}  // namespace attr_detail

namespace {

// A number of so many digits may be beyond what the kind of attribute takes.
bool has_long_number(std::string_view text) {
  constexpr std::ptrdiff_t kDigits = 10;
  std::ptrdiff_t digits = 0;
  return std::any_of(text.begin(), text.end(), [&](unsigned char c) {
    digits = std::isdigit(c) != 0 ? digits + 1 : 0;
    return digits == kDigits;
  });
}

std::string hint_for(const AttrField& field, std::string_view text) {
  if (has_long_number(text) && field.kind == "integer") return "MXNet reads it into 32 bits";
  if (has_long_number(text) && field.kind == "tuple of integers")
    return fmt::format("no number may pass {}", kLargestSize);
  return field.kind.starts_with("tuple") ? "MXNet writes tuples as \"(3, 3)\"" : "";
}

}  // namespace

bool AttrField::in_bounds(double value) const {
  // What is no number is within no bounds.
  return (!minimum || value >= *minimum) && (!maximum || value <= *maximum);
}

std::string AttrField::expected() const {
  std::string text;
  if (!names.empty()) {
    text = join_alternatives(names);
  } else if (kind.starts_with("tuple of ")) {
    const auto [fewest, most] = tuple_sizes;
    std::string count;
    if (most < 32) {
      count = fewest == most ? fmt::format("{} ", most) : fmt::format("{} to {} ", fewest, most);
    }
    text = "a tuple of " + count + kind.substr(9);
  } else if (kind == "element type") {
    text = "an element type such as float32";
  } else {
    text = (kind == "integer" ? "an " : "a ") + kind;
  }
  if (minimum && maximum) {
    text += fmt::format(" from {:g} to {:g}", *minimum, *maximum);
  } else if (minimum) {
    text += fmt::format(" of at least {:g}", *minimum);
  } else if (maximum) {
    text += fmt::format(" of at most {:g}", *maximum);
  }
  return optional ? text + ", or None" : text;
}

namespace {

AttrProblem wrong_value(const AttrField& field, std::string_view text) {
  const bool is_tuple = field.kind.starts_with("tuple");
  FloatTuple elements;
  const bool is_read = is_tuple && parse_attr(text, elements);
  if (is_read && elements.size() > field.tuple_sizes.second) {
    return {field.name,
            fmt::format("expected at most {} elements, got {}", field.tuple_sizes.second,
                        elements.size()),
            ""};
  }
  return {field.name, fmt::format("expected {}, got {}", field.expected(), in_quotes(text)),
          is_tuple && is_read && !has_long_number(text) ? "" : hint_for(field, text)};
}

}  // namespace

const AttrField* AttrSchema::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::shared_ptr<const void> AttrSchema::parse(const mxnet::Attributes& attrs,
                                              std::vector<AttrProblem>& problems) const {
  if (open_) return std::make_shared<const mxnet::Attributes>(attrs);
  std::shared_ptr<void> object = create_();
  // MXNet does not look at the attributes of an operator that declares none, and frontends write
  // some: GluonCV's zeros_like has a dtype, without effect.
  if (fields_.empty()) return object;
  for (const auto& [name, text] : attrs) {
    if (name.starts_with("__") && name.ends_with("__")) continue;
    const AttrField* field = find(name);
    if (field == nullptr) {
      std::vector<std::string> known;
      for (const auto& candidate : fields_) known.push_back(candidate.name);
      const auto like = nearest(name, known, 1);
      problems.push_back({name,
                          name.empty() ? "this operator has no attribute with an empty name"
                                       : "this operator has no such attribute",
                          like.empty() ? "" : fmt::format("did you mean '{}'?", like[0])});
    } else if (!field->parse(*field, text, object.get())) {
      problems.push_back(wrong_value(*field, text));
    }
  }
  for (const auto& field : fields_) {
    if (field.required && !attrs.contains(field.name)) {
      problems.push_back(
          {field.name, fmt::format("expected {}, found nothing", field.expected()), ""});
    }
  }
  return object;
}

}  // namespace mx2onnx
