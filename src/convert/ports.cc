// See ports.h.
#include "convert/ports.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/nearest.h"
#include "base/text.h"

namespace mx2onnx {
namespace {

/// Finds what a name of the user means among the outputs of all nodes.
class OutputFinder {
 public:
  OutputFinder(const mxnet::Symbol& symbol, const OperatorsOf& operators)
      : symbol_(symbol), operators_(operators) {
    for (std::size_t i = 0; i < symbol.nodes.size(); ++i) {
      by_name_.emplace(symbol.nodes[i].name, static_cast<std::uint32_t>(i));
    }
  }

  mxnet::NodeEntry find(const std::string& name) const {
    auto found = with_output_name(name);
    if (found.empty()) found = of_nodes(name);
    if (found.size() == 1) return found[0];
    if (found.size() > 1) {
      fail(ErrorCode::kUsage,
           fmt::format("outputs: {} nodes have the name '{}'", found.size(), name));
    }
    std::vector<std::string> names;
    for (const auto& node : symbol_.nodes) {
      names.push_back(node.name);
      names.push_back(node.name + "_output");
    }
    const auto like = nearest(name, names, 1);
    fail(ErrorCode::kUsage, fmt::format("outputs: the model has no output or node '{}'", name),
         like.empty() ? "" : fmt::format("did you mean '{}'?", like[0]));
  }

 private:
  std::vector<mxnet::NodeEntry> of_nodes(const std::string& name) const {
    std::vector<mxnet::NodeEntry> found;
    const auto [first, last] = by_name_.equal_range(name);
    for (auto it = first; it != last; ++it) found.push_back({it->second, 0});
    return found;
  }

  // The name is the node's, '_', and the output's; either may have underscores of its own.
  std::vector<mxnet::NodeEntry> with_output_name(const std::string& name) const {
    std::vector<mxnet::NodeEntry> found;
    for (std::size_t cut = name.find('_'); cut != std::string::npos;
         cut = name.find('_', cut + 1)) {
      for (const auto& entry : of_nodes(name.substr(0, cut))) {
        const auto names = output_names(symbol_.nodes[entry.node]);
        const auto at = std::find(names.begin(), names.end(), name.substr(cut + 1));
        if (at == names.end()) continue;
        found.push_back({entry.node, static_cast<std::uint32_t>(at - names.begin())});
      }
    }
    return found;
  }

  std::vector<std::string> output_names(const mxnet::Node& node) const {
    const OpDef* def = node.is_variable() ? nullptr : operators_.find(node.op);
    if (def == nullptr) return {};
    std::vector<AttrProblem> problems;
    const auto params = def->attrs.parse(node.attrs, problems);
    if (!problems.empty()) return {};
    return def->outputs(params.get(), node.inputs.size());
  }

  const mxnet::Symbol& symbol_;
  const OperatorsOf& operators_;
  std::multimap<std::string, std::uint32_t> by_name_;
};

}  // namespace

void select_outputs(mxnet::Symbol& symbol, const std::vector<std::string>& names,
                    const OperatorsOf& operators) {
  const OutputFinder finder(symbol, operators);
  std::vector<mxnet::NodeEntry> heads;
  for (const auto& name : names) heads.push_back(finder.find(name));
  symbol.heads = std::move(heads);
}

std::map<std::string, std::string> rename_ports(onnx::Graph& graph,
                                                std::map<std::string, std::string> renames) {
  if (renames.empty()) return renames;
  std::vector<onnx::Value> ports = graph.main.inputs;
  ports.insert(ports.end(), graph.main.outputs.begin(), graph.main.outputs.end());
  std::vector<std::string> names;
  for (const auto port : ports) names.push_back(graph.name_of(port));

  std::vector<std::string> wanted = names;
  for (auto& [from, to] : renames) {
    const auto at = std::find(names.begin(), names.end(), from);
    if (at == names.end()) {
      const auto like = nearest(from, names, 1);
      fail(ErrorCode::kUsage, fmt::format("rename: the model has no input or output '{}'", from),
           !like.empty() ? fmt::format("did you mean '{}'?", like[0])
                         : "inputs and outputs: " + join_alternatives(names));
    }
    if (to.empty())
      fail(ErrorCode::kUsage, fmt::format("rename: the new name for '{}' is empty", from));
    to = onnx::Names().unique(to);
    wanted[static_cast<std::size_t>(at - names.begin())] = to;
  }
  const std::set<std::string> taken(wanted.begin(), wanted.end());
  if (taken.size() != wanted.size()) {
    fail(ErrorCode::kUsage, "rename: two inputs or outputs would have the same name");
  }
  for (std::size_t i = 0; i < graph.num_values(); ++i) {
    auto& info = graph.info(onnx::Value{static_cast<std::uint32_t>(i)});
    if (taken.contains(info.name)) info.name = graph.names.unique(info.name);
  }
  for (std::size_t i = 0; i < ports.size(); ++i) graph.info(ports[i]).name = wanted[i];
  return renames;
}

}  // namespace mx2onnx
