// See mx2onnx/inspect.h.
#include "mx2onnx/inspect.h"

#include <map>

#include "base/error.h"
#include "convert/bind.h"
#include "convert/known_net.h"
#include "convert/load.h"
#include "convert/resolve.h"
#include "infer/infer.h"

namespace mx2onnx {
namespace {

PortReport port(std::string name, const TensorType& type) {
  PortReport result{std::move(name), std::string(dtype_name(type.dtype)), {}};
  for (const Dim& dim : type.shape.dims()) result.shape.push_back(dim.to_string());
  return result;
}

void count_operators(const Model& model, std::map<std::string, OperatorCount>& counts) {
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (raw.is_variable() || !model.nodes[i].live) continue;
    auto& count = counts[raw.op];
    count.op = raw.op;
    count.known = model.nodes[i].def != nullptr;
    ++count.nodes;
    for (const auto& body : model.nodes[i].bodies) count_operators(*body, counts);
  }
}

void count_operators(const Model& model, Inspection& result) {
  std::map<std::string, OperatorCount> counts;
  count_operators(model, counts);
  for (auto& [op, count] : counts) result.operators.push_back(std::move(count));
}

std::string output_name(const Model& model, const mxnet::NodeEntry& head) {
  const ModelNode& node = model.nodes[head.node];
  if (head.index < node.output_names.size()) return node.output_names[head.index];
  return model.symbol.nodes[head.node].name;
}

}  // namespace

Inspection inspect(const Source& source, const ConvertOptions& given) {
  Unpacker unpacker(unpack_limits(source));
  source::FoundModel found = source::find_model(source, unpacker);
  mxnet::ParameterSet params = load_parameters(found, source, given, unpacker);
  ConvertOptions asked = given;
  recognise_net(found, params, asked);
  const ErrorScope scope = ErrorScope::file(found.symbol_name);
  Inspection result;
  result.diagnostics = found.notes;
  mxnet::Symbol symbol = load_symbol(found, asked);
  for (const auto& node : symbol.nodes) {
    if (node.is_variable()) result.arguments.push_back(node.name);
  }
  const ConvertOptions options = with_found_inputs(found, symbol, asked, result.diagnostics);
  result.mxnet_version = mxnet::version_text(symbol.mxnet_version);
  result.np_shape = symbol.np_shape;

  std::vector<NodeProblem> problems;
  DimArena arena;
  OperatorTable operators(options, arena);
  Model model = resolve_operators(std::move(symbol), operators, problems);
  count_operators(model, result);
  result.problems = problem_lines(problems);

  ConvertOptions lenient = options;
  lenient.random_weights = true;
  Report report;
  assign_roles(model, params, lenient, report);
  declare_types(model, options, {}, arena);
  std::vector<EntryInfo> types(model.num_entries);
  if (problems.empty()) types = infer_types(model, arena, true).entries;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    const ModelNode& node = model.nodes[i];
    if (!raw.is_variable()) continue;
    if (!node.live) result.labels.push_back(raw.name);
    if (node.role == VariableRole::kInput) {
      const TensorType& type = types[model.first_entry[i]].type;
      result.inputs.push_back(port(raw.name, type.shape.known_rank() ? type : node.declared));
    } else if (node.role == VariableRole::kRandom) {
      result.missing_parameters.push_back(raw.name);
    } else if (node.role == VariableRole::kParameter) {
      ++result.num_parameters;
      result.parameter_bytes += node.data->size_bytes();
    }
  }
  for (const auto& head : model.symbol.heads) {
    result.outputs.push_back(port(output_name(model, head), types[model.entry(head)].type));
  }
  return result;
}

}  // namespace mx2onnx
