#include "onnx/stored_attribute.h"

#include <fmt/format.h>

#include <string_view>

namespace mx2onnx::onnx {
namespace {

constexpr std::size_t kMostElements = 64;
constexpr std::size_t kMostLetters = 2000;

std::string_view beginning(std::string_view text) { return text.substr(0, kMostLetters); }

/// The first elements of a list, each as a text.
template <typename List, typename ToText>
std::string list_text(const List& list, const ToText& to_text) {
  std::string result = "[";
  for (std::size_t i = 0; i < list.size() && i < kMostElements; ++i)
    result += fmt::format("{}{}", i == 0 ? "" : ", ", to_text(list[i]));
  if (list.size() > kMostElements)
    result += fmt::format(", … {} more", list.size() - kMostElements);
  return result + "]";
}

}  // namespace

std::string attribute_text(const StoredAttribute& attribute) {
  const auto number = [](float value) { return fmt::format("{:g}", value); };
  // Some programs write the fields of the other kinds, too, with zeros in them.
  if (!attribute.integers.empty())
    return list_text(attribute.integers, [](auto value) { return std::to_string(value); });
  if (!attribute.numbers.empty()) return list_text(attribute.numbers, number);
  if (!attribute.texts.empty()) return list_text(attribute.texts, beginning);
  if (attribute.graphs.size() > 1)
    return list_text(attribute.graphs, [](const StoredGraph& /*graph*/) { return "a graph"; });
  if (!attribute.graphs.empty()) return "a graph";
  if (attribute.tensor) return "a tensor";
  if (attribute.text && !attribute.text->empty()) return std::string(beginning(*attribute.text));
  if (attribute.integer && *attribute.integer != 0) return std::to_string(*attribute.integer);
  if (attribute.number && *attribute.number != 0) return number(*attribute.number);
  if (attribute.integer) return std::to_string(*attribute.integer);
  return attribute.number ? number(*attribute.number) : std::string();
}

}  // namespace mx2onnx::onnx
