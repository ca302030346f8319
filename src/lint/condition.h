// Whether a rule's condition holds of a node: yes, no, or the file does not say it.
#pragma once

#include <string_view>
#include <unordered_set>

#include "lint/facts.h"
#include "lint/rules.h"
#include "onnx/reader.h"

namespace mx2onnx::lint {

enum class Answer : std::uint8_t { kNo, kMaybe, kYes };

/// A node, and what there is around it.
struct NodeView {
  const onnx::StoredNode& node;
  const Facts& facts;
  int opset = 0;
  bool is_inner = false;
  const std::unordered_set<std::string_view>& model_inputs;
};

Answer holds(const Rule& rule, const NodeView& view);

}  // namespace mx2onnx::lint
