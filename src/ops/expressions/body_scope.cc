// See body_scope.h.
#include "ops/expressions/body_scope.h"

#include <fmt/format.h>

#include <cstdint>
#include <set>

#include "onnx/shape_expr.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

Value BodyScope::add_input(std::string_view name, TensorType type) {
  const std::string full = fmt::format("{}/{}", b_.node_name(), name);
  return b_.add_input(b_.graph().names.unique(full), std::move(type));
}

std::shared_ptr<onnx::Body> BodyScope::finish(const std::vector<Value>& outputs) {
  std::set<std::uint32_t> made;
  for (const auto& node : body_->nodes) {
    for (const Value output : node.outputs) made.insert(output.id);
  }
  for (const Value output : outputs) {
    body_->outputs.push_back(made.erase(output.id) > 0 ? output : b_.identity(output));
  }
  b_.end_body();
  return body_;
}

Value to_condition(Builder& b, Value x) {
  const Value flag = b.cast(x, DType::kBool);
  return b.shape(flag).rank() == 0 ? flag : onnx::reshape(b, flag, Shape(std::vector<Dim>{}));
}

}  // namespace mx2onnx
