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
#include "ops/record/op_def.h"

namespace mx2onnx {

enum class VariableRole {
  kNone,       ///< Not a variable, or not needed for the outputs.
  kInput,      ///< Fed by the user.
  kParameter,  ///< Its content is in the parameter files.
  kRandom,     ///< A parameter that no file has and that is filled with random numbers.
};

struct Model;

struct ModelNode {
  const OpDef* def = nullptr;  ///< Null for a variable.
  std::shared_ptr<const void> params;
  std::vector<InputRole> input_roles;
  std::vector<std::string> input_names;
  std::vector<std::string> output_names;       ///< With the node's name: "conv0_output".
  std::vector<std::shared_ptr<Model>> bodies;  ///< The subgraphs of a control-flow operator.
  bool live = false;                           ///< Needed for the outputs.
  VariableRole role = VariableRole::kNone;
  TensorType declared;             ///< A variable's type, as far as files or the user say it.
  DType fed_as = DType::kUnknown;  ///< The integers that the user says an input is fed with.
  bool converted = false;          ///< Such an input is float32 behind its door.
  std::optional<Tensor> data;      ///< Of a kParameter.
};

struct Model {
  /// Of a subgraph: the names of the control-flow nodes around it, each followed by '/'.
  std::string path;
  /// The same as indices of nodes and subgraphs, "12.0/", which no two subgraphs share.
  std::string key;
  int depth = 0;  ///< How many control-flow nodes are around it.
  /// The operators of the user, and those that are not known; the nodes point to them.
  std::vector<std::shared_ptr<const OpDef>> own_operators;
  mxnet::Symbol symbol;
  std::vector<ModelNode> nodes;  ///< One per node of the symbol.
  /// Position of each node's first output in a table of all outputs, and the length of that table.
  std::vector<std::uint32_t> first_entry;
  std::uint32_t num_entries = 0;

  std::uint32_t entry(const mxnet::NodeEntry& output) const {
    return first_entry[output.node] + output.index;
  }
  /// The variables, live or not, in MXNet's order: what feeds a subgraph.
  std::vector<std::uint32_t> variables() const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      if (symbol.nodes[i].is_variable()) found.push_back(i);
    }
    return found;
  }
};

}  // namespace mx2onnx
