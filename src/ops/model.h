// A symbol whose operators are resolved and whose variables have a role: what inference and
// translation work on. Built once by convert/bind, never changed after.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/tensor.h"
#include "ir/tensor_type.h"
#include "mxnet/symbol.h"
#include "ops/op_def.h"

namespace mx2onnx {

enum class VariableRole {
  kNone,       ///< Not a variable, or not needed for the outputs.
  kInput,      ///< Fed by the user.
  kParameter,  ///< Its content is in the parameter files.
  kRandom,     ///< A parameter that no file has and that is filled with random numbers.
};

struct ModelNode {
  const OpDef* def = nullptr;  ///< Null for a variable.
  std::shared_ptr<const void> params;
  std::vector<InputRole> input_roles;
  std::vector<std::string> input_names;
  std::vector<std::string> output_names;  ///< With the node's name: "conv0_output".
  bool live = false;                      ///< Needed for the outputs.
  VariableRole role = VariableRole::kNone;
  TensorType declared;         ///< A variable's type, as far as files or the user say it.
  std::optional<Tensor> data;  ///< Of a kParameter.
};

struct Model {
  mxnet::Symbol symbol;
  std::vector<ModelNode> nodes;  ///< One per node of the symbol.
  /// Position of each node's first output in a table of all outputs, and the length of that table.
  std::vector<std::uint32_t> first_entry;
  std::uint32_t num_entries = 0;

  std::uint32_t entry(const mxnet::NodeEntry& output) const {
    return first_entry[output.node] + output.index;
  }
};

}  // namespace mx2onnx
