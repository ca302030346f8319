#include "onnx/node_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mx2onnx::onnx {
namespace {

// The element type that each type group of a schema has, by the node's inputs.
std::array<DType, 16> group_dtypes(const Node& node, const OpSchema& schema, const Graph& graph) {
  std::array<DType, 16> result;
  result.fill(DType::kUnknown);
  for (std::size_t i = 0; i < node.inputs.size() && !schema.inputs.empty(); ++i) {
    const auto& formal = schema.inputs[std::min(i, schema.inputs.size() - 1)];
    if (formal.group < 0 || !node.inputs[i].present()) continue;
    result[static_cast<std::uint8_t>(formal.group)] = graph.type(node.inputs[i]).dtype;
  }
  return result;
}

}  // namespace

std::string_view attribute_kind(AttrType type) {
  constexpr std::array<std::string_view, 9> kKinds = {
      "an integer",      "a number", "a text",  "a list of integers", "a list of numbers",
      "a list of texts", "a tensor", "a graph", "something else"};
  return kKinds[static_cast<std::size_t>(type)];
}

const AttrRow* find_attribute(const OpSchema& schema, std::string_view name) {
  const auto row = std::find_if(schema.attrs.begin(), schema.attrs.end(),
                                [&](const AttrRow& candidate) { return candidate.name == name; });
  return row == schema.attrs.end() ? nullptr : &*row;
}

bool is_of_kind(const AttrValue& value, AttrType type) {
  // The alternatives of AttrValue stand in the order of AttrType.
  return value.index() == static_cast<std::size_t>(type);
}

std::optional<std::string> wrong_attributes(const Node& node, const OpSchema& schema) {
  for (const auto& attr : node.attrs) {
    const AttrRow* row = find_attribute(schema, attr.name);
    if (row == nullptr || is_of_kind(attr.value, row->type)) continue;
    return fmt::format("{} is emitted with {} as attribute '{}', which is {}", node.op_type,
                       attribute_kind(static_cast<AttrType>(attr.value.index())), attr.name,
                       attribute_kind(row->type));
  }
  return std::nullopt;
}

std::optional<std::string> wrong_outputs(const Node& node, const OpSchema& schema,
                                         const Graph& graph) {
  const bool variadic = !schema.outputs.empty() && schema.outputs.back().variadic;
  if (!variadic && node.outputs.size() > schema.outputs.size()) {
    return fmt::format("{} is emitted with {} outputs, it has {}", node.op_type,
                       node.outputs.size(), schema.outputs.size());
  }
  const auto groups = group_dtypes(node, schema, graph);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].present()) continue;
    const auto& formal = schema.outputs[std::min(i, schema.outputs.size() - 1)];
    const DType dtype = graph.type(node.outputs[i]).dtype;
    const DType expected =
        formal.group < 0 ? DType::kUnknown : groups[static_cast<std::uint8_t>(formal.group)];
    const bool allowed = formal.dtypes == 0 || formal.allows(dtype);
    if (!allowed || (expected != DType::kUnknown && expected != dtype)) {
      return fmt::format("output {} of {} cannot be {}{}", i, node.op_type, dtype_name(dtype),
                         expected == DType::kUnknown
                             ? ""
                             : fmt::format(", for its inputs are {}", dtype_name(expected)));
    }
  }
  return std::nullopt;
}

}  // namespace mx2onnx::onnx
