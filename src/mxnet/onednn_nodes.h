// What the nodes in the subgraphs of oneDNN's fused operators are.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "mxnet/symbol.h"

namespace mx2onnx::mxnet {

bool is_any(std::string_view text, std::initializer_list<std::string_view> of);

/// An attribute's text, and what it is where the file does not say.
std::string text_of(const Attributes& attrs, std::string_view name, std::string_view otherwise);
/// An attribute whose default is false.
bool is_true(const Attributes& attrs, std::string_view name);
/// An attribute whose default is None.
bool is_number(const Attributes& attrs, std::string_view name);

/// Appends a node, and gives its first output.
NodeEntry add_node(Symbol& to, std::string op, std::string name, Attributes attrs,
                   std::vector<NodeEntry> inputs);

/// Element by element, of two arrays.
bool is_sum(const Node& node);
bool is_clip(const Node& node);
/// An activation with f(c x) = c f(x) for all c > 0.
bool is_homogeneous(const Node& node);
/// Whether a quantised layer that ends with the activation has a result of uint8 (IsOutputUInt8 of
/// the convolution, and IsOutputUint8 of the dense layer).
bool is_unsigned(const Node& node, bool is_dense);

/// Fails with kModel unless the node has so many inputs, and those from `first` on are variables of
/// its symbol.
void expect_variables(const Symbol& body, const Node& node, std::size_t first, std::size_t count);

}  // namespace mx2onnx::mxnet
