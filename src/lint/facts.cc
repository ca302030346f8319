// See facts.h.
#include "lint/facts.h"

#include <algorithm>

#include "base/text.h"
#include "ir/int4.h"
#include "lint/node_shapes.h"
#include "onnx/schema.h"

namespace mx2onnx::lint {
namespace {

DType dtype_of(std::int64_t code) {
  for (int i = 0; i <= static_cast<int>(kInt4); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (onnx::onnx_type_code(dtype) == code) return dtype;
  }
  return DType::kUnknown;
}

const onnx::FormalRow* formal_at(std::span<const onnx::FormalRow> formals, std::size_t index) {
  if (formals.empty()) return nullptr;
  if (index >= formals.size() && !formals.back().variadic) return nullptr;
  return &formals[std::min(index, formals.size() - 1)];
}

// The only element type that a formal allows; 0 if it allows several.
std::int64_t only_type(const onnx::FormalRow& formal) {
  std::int64_t only = 0;
  for (int i = 0; i < static_cast<int>(DType::kUnknown); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (!formal.allows(dtype)) continue;
    if (only != 0) return 0;
    only = onnx::onnx_type_code(dtype);
  }
  return only;
}

}  // namespace

std::string_view type_name(std::int64_t dtype) { return dtype_name(dtype_of(dtype)); }

Facts::Facts(const onnx::StoredGraph& graph, const Facts* around, int opset)
    : around_(around), opset_(opset) {
  for (const auto& weight : graph.weights) {
    ValueFacts facts{weight.dtype, std::vector<Size>(), &weight};
    for (const auto size : weight.dims) facts.shape->push_back({Size::Kind::kNumber, size});
    values_.try_emplace(weight.name, std::move(facts));
  }
  for (const auto& value : graph.inputs) take(value, true);
  for (const auto& value : graph.outputs) take(value, false);
  for (const auto& value : graph.values) take(value, false);
  for (const auto& node : graph.nodes) infer(node);
}

const ValueFacts* Facts::find(std::string_view name) const {
  for (const Facts* facts = this; facts != nullptr; facts = facts->around_) {
    const auto place = facts->values_.find(name);
    if (place != facts->values_.end()) return &place->second;
  }
  return nullptr;
}

void Facts::take(const onnx::StoredValue& value, bool is_input) {
  ValueFacts facts{value.type.dtype, std::nullopt, nullptr};
  if (value.type.known_rank) {
    facts.shape.emplace();
    for (const auto& text : value.type.dims) {
      const auto number = parse_int(text);
      // A size without a name is free if nothing in the file computes it.
      const bool is_known = text != "?" || is_input;
      facts.shape->push_back(number     ? Size{Size::Kind::kNumber, *number}
                             : is_known ? Size{Size::Kind::kFree, 0}
                                        : Size{});
    }
  }
  values_.try_emplace(value.name, std::move(facts));
}

void Facts::infer(const onnx::StoredNode& node) {
  std::vector<const ValueFacts*> inputs;
  for (const auto name : node.inputs) inputs.push_back(name.empty() ? nullptr : find(name));
  const auto* schema = node.domain.empty() || node.domain == "ai.onnx"
                           ? onnx::find_schema(node.op_type, std::max(opset_, onnx::kOldestOpset))
                           : nullptr;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    ValueFacts found;
    if (schema != nullptr) {
      found = facts_of_output(node, inputs, i);
      const auto* formal = formal_at(schema->outputs, i);
      if (found.dtype == 0 && formal != nullptr) {
        found.dtype = only_type(*formal);
        for (std::size_t k = 0; found.dtype == 0 && k < inputs.size(); ++k) {
          const auto* input = formal_at(schema->inputs, k);
          if (input != nullptr && inputs[k] != nullptr && formal->group >= 0 &&
              input->group == formal->group)
            found.dtype = inputs[k]->dtype;
        }
      }
    }
    // What the file says of the value comes first.
    ValueFacts& said = values_[node.outputs[i]];
    if (said.dtype == 0) said.dtype = found.dtype;
    if (!said.shape) said.shape = std::move(found.shape);
    if (said.constant == nullptr) said.constant = found.constant;
  }
}

}  // namespace mx2onnx::lint
