// What a node has to have by its schema, besides the inputs, which the builder itself looks at.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "onnx/graph.h"
#include "onnx/schema.h"

namespace mx2onnx::onnx {

/// "an integer", "numbers", … of a kind of attribute.
std::string_view attribute_kind(AttrType type);

/// The row of an attribute; null if the operator has none of this name.
const AttrRow* find_attribute(const OpSchema& schema, std::string_view name);

/// True if the value is of the kind that the row says.
bool is_of_kind(const AttrValue& value, AttrType type);

/// What is wrong with the kinds of the node's attributes; nothing if all is well. Attributes that
/// the schema does not have are not looked at.
std::optional<std::string> wrong_attributes(const Node& node, const OpSchema& schema);

/// What is wrong with the number and the element types of the node's outputs; nothing if all is
/// well.
std::optional<std::string> wrong_outputs(const Node& node, const OpSchema& schema,
                                         const Graph& graph);

}  // namespace mx2onnx::onnx
