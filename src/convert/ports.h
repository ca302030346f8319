// What the user asks of the model's outer names: other outputs than the file's, and other names.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mxnet/symbol.h"
#include "onnx/graph.h"
#include "ops/record/registry.h"

namespace mx2onnx {

/// Pairs (old, new) from texts `old=new`. Fails with kUsage, naming the option, if one has another
/// form.
std::vector<std::pair<std::string, std::string>> parse_renames(
    std::string_view option, const std::vector<std::string>& texts);

/// Makes the named values the outputs of the symbol, in this order. A name is that of an output as
/// MXNet's `list_outputs` has it (`relu1_output`), or a node's, which stands for its first output.
/// Fails with kUsage if nothing has the name, or several nodes have.
void select_outputs(mxnet::Symbol& symbol, const std::vector<std::string>& names,
                    const OperatorsOf& operators);

/// Renames inputs and outputs of the graph by the texts `old=new`, all at once; a value within the
/// graph that has a new name already steps aside. Gives the pairs (old, new), with what of a text
/// cannot be a name made good. Fails with kUsage if there is no such input or output, or two would
/// have one name.
std::vector<std::pair<std::string, std::string>> rename_ports(
    onnx::Graph& graph, const std::vector<std::string>& texts);

}  // namespace mx2onnx
