// What the user asks of the model's outer names: other outputs than the file's, and other names.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mxnet/symbol.h"
#include "onnx/graph.h"
#include "ops/record/registry.h"

namespace mx2onnx {

/// Makes the named values the outputs of the symbol, in this order. A name is that of an output as
/// MXNet's `list_outputs` has it (`relu1_output`), or a node's, which stands for its first output.
/// Fails with kUsage if nothing has the name, or several nodes have.
void select_outputs(mxnet::Symbol& symbol, const std::vector<std::string>& names,
                    const OperatorsOf& operators);

/// Renames inputs and outputs of the graph, all at once; a value within the graph that has a new
/// name already steps aside. Gives old and new names as they are in the graph, with what of a text
/// cannot be a name made good. Fails with kUsage if there is no such input or output, a new name is
/// empty, or two would have one name.
std::map<std::string, std::string> rename_ports(onnx::Graph& graph,
                                                std::map<std::string, std::string> renames);

}  // namespace mx2onnx
