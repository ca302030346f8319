// The target side: an ONNX graph under construction. All values live in one table; a body is a list
// of nodes over them. The main graph is a body, and so is each branch or loop body of a
// control-flow node, which may use the values of the bodies around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/tensor.h"
#include "ir/tensor_type.h"
#include "onnx/names.h"

namespace mx2onnx::onnx {

/// Names a value of the graph. A default Value stands for an optional input that is absent.
struct Value {
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::uint32_t id = kNone;

  bool present() const { return id != kNone; }
  friend bool operator==(const Value&, const Value&) = default;
};

struct Body;

using AttrValue =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                 std::vector<std::string>, Tensor, std::shared_ptr<Body>>;

struct Attribute {
  Attribute(std::string name, int value) : name(std::move(name)), value(std::int64_t{value}) {}
  Attribute(std::string name, bool value) : name(std::move(name)), value(std::int64_t{value}) {}
  Attribute(std::string name, std::int64_t value) : name(std::move(name)), value(value) {}
  Attribute(std::string name, double value)
      : name(std::move(name)), value(static_cast<float>(value)) {}
  Attribute(std::string name, float value) : name(std::move(name)), value(value) {}
  Attribute(std::string name, const char* value)
      : name(std::move(name)), value(std::string(value)) {}
  template <typename T>
  Attribute(std::string name, T value) : name(std::move(name)), value(std::move(value)) {}

  std::string name;
  AttrValue value;
};

using Attributes = std::vector<Attribute>;

struct Node {
  std::string op_type;
  std::string domain;  ///< Empty for ONNX's own operators.
  std::string name;
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  Attributes attrs;

  /// True if this is the operator of ONNX's own domain.
  bool is(std::string_view onnx_op) const { return domain.empty() && op_type == onnx_op; }
  const Attribute* find(std::string_view attr) const;
  std::int64_t int_attr(std::string_view attr, std::int64_t otherwise) const;
  float float_attr(std::string_view attr, float otherwise) const;
  /// Empty if there is no such attribute.
  std::vector<std::int64_t> ints_attr(std::string_view attr) const;
  std::string string_attr(std::string_view attr, std::string_view otherwise) const;
};

struct ValueInfo {
  std::string name;
  TensorType type;
  /// A constant: a weight, or something the translation made. It is stored as an initializer.
  std::optional<Tensor> constant;
};

/// Inputs and outputs refer to the graph's values; nodes are in topological order.
struct Body {
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::vector<Node> nodes;
};

class Graph {
 public:
  std::string name;
  Body main;
  /// Of the values; whoever adds a value takes its name from here.
  Names names;

  Value add_value(ValueInfo info);
  std::size_t num_values() const { return values_.size(); }
  const ValueInfo& info(Value value) const { return values_[value.id]; }
  ValueInfo& info(Value value) { return values_[value.id]; }
  const TensorType& type(Value value) const { return values_[value.id].type; }
  const std::string& name_of(Value value) const { return values_[value.id].name; }
  /// Null if the value is absent or not a constant.
  const Tensor* constant(Value value) const {
    if (!value.present()) return nullptr;
    const auto& tensor = values_[value.id].constant;
    return tensor ? &*tensor : nullptr;
  }

 private:
  std::deque<ValueInfo> values_;  // a deque, so that references stay valid while values are added
};

/// Calls `visit(body)` for a body and all bodies within it, outer ones first.
template <typename BodyType, typename Visit>
void for_each_body(BodyType& body, const Visit& visit) {
  visit(body);
  for (auto& node : body.nodes) {
    for (auto& attr : node.attrs) {
      if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&attr.value)) {
        for_each_body(**inner, visit);
      }
    }
  }
}

/// Calls `visit(node)` for each node of the body and of the bodies within it, outer ones first.
template <typename BodyType, typename Visit>
void for_each_node(BodyType& body, const Visit& visit) {
  for (auto& node : body.nodes) {
    visit(node);
    for (auto& attr : node.attrs) {
      if (const auto* inner = std::get_if<std::shared_ptr<Body>>(&attr.value)) {
        for_each_node(**inner, visit);
      }
    }
  }
}

}  // namespace mx2onnx::onnx
