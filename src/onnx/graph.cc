#include "onnx/graph.h"

namespace mx2onnx::onnx {
namespace {

template <typename T>
const T* attr_as(const Node& node, std::string_view name) {
  const Attribute* attr = node.find(name);
  return attr == nullptr ? nullptr : std::get_if<T>(&attr->value);
}

}  // namespace

const Attribute* Node::find(std::string_view attr) const {
  for (const auto& candidate : attrs) {
    if (candidate.name == attr) return &candidate;
  }
  return nullptr;
}

std::int64_t Node::int_attr(std::string_view attr, std::int64_t otherwise) const {
  const auto* value = attr_as<std::int64_t>(*this, attr);
  return value == nullptr ? otherwise : *value;
}

float Node::float_attr(std::string_view attr, float otherwise) const {
  const auto* value = attr_as<float>(*this, attr);
  return value == nullptr ? otherwise : *value;
}

std::vector<std::int64_t> Node::ints_attr(std::string_view attr) const {
  const auto* value = attr_as<std::vector<std::int64_t>>(*this, attr);
  return value == nullptr ? std::vector<std::int64_t>{} : *value;
}

std::string Node::string_attr(std::string_view attr, std::string_view otherwise) const {
  const auto* value = attr_as<std::string>(*this, attr);
  return value == nullptr ? std::string(otherwise) : *value;
}

Value Graph::add_value(ValueInfo info) {
  values_.push_back(std::move(info));
  return {static_cast<std::uint32_t>(values_.size() - 1)};
}

}  // namespace mx2onnx::onnx
