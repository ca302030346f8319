// See layers.h.
#include "convert/layers.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/text.h"
#include "convert/size_numbers.h"

namespace mx2onnx {
namespace {

/// What a counting rule sees of a node.
struct Work {
  std::vector<const Shape*> inputs;
  const std::vector<std::string>& names;  // of the inputs
  const Shape& output;
  const mxnet::Attributes& attrs;
  const SizeEvaluator& size;

  Number input(std::size_t i) const {
    return i < inputs.size() ? size.count(*inputs[i]) : std::nullopt;
  }
  Number dim(std::size_t i, std::size_t axis) const {
    if (i >= inputs.size() || axis >= inputs[i]->rank()) return std::nullopt;
    return size((*inputs[i])[axis]);
  }
  std::string_view text(std::string_view attr) const {
    const auto found = attrs.find(attr);
    return found == attrs.end() ? std::string_view() : found->second;
  }
  bool is_set(std::string_view attr) const {
    const auto value = lower(text(attr));
    return value == "true" || value == "1";
  }
  Number number(std::string_view attr) const {
    const auto value = parse_int(text(attr));
    if (!value || *value < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
  }
};

// What each element of the result takes (of a deconvolution: what takes each element of the data):
// all of the weight but its first axis.
Number per_filter(const Work& work) {
  const auto weight = std::find(work.names.begin(), work.names.end(), "weight");
  const auto index = static_cast<std::size_t>(weight - work.names.begin());
  const Number count = work.input(index);
  const Number filters = work.dim(index, 0);
  if (!count || !filters || *filters == 0) return std::nullopt;
  return *count / *filters;
}

Number convolution(const Work& work) {
  return times(work.size.count(work.output), per_filter(work));
}

Number deconvolution(const Work& work) { return times(work.input(0), per_filter(work)); }

// The axis that is summed over is the last of the first factor, unless that is transposed.
Number product(const Work& work) {
  if (work.inputs.empty() || work.inputs[0]->rank() == 0) return std::nullopt;
  const std::size_t rank = work.inputs[0]->rank();
  const bool is_matrix = rank > 1;
  const std::size_t axis = is_matrix && work.is_set("transpose_a") ? rank - 2 : rank - 1;
  return times(work.size.count(work.output), work.dim(0, axis));
}

// `dot` of a transposed first factor sums over its first axis.
Number dot(const Work& work) {
  if (!work.is_set("transpose_a")) return product(work);
  return times(work.size.count(work.output), work.dim(0, 0));
}

// Every weight of every layer once for each step and sequence.
Number recurrent(const Work& work) {
  const auto parameters = work.input(1);
  const std::uint64_t gates = work.text("mode") == "lstm" ? 4 : work.text("mode") == "gru" ? 3 : 1;
  const std::uint64_t directions = work.is_set("bidirectional") ? 2 : 1;
  const Number biases =
      times(times(work.number("num_layers"), work.number("state_size")), 2 * gates * directions);
  if (!parameters || !biases || *biases > *parameters) return std::nullopt;
  return times(times(work.dim(0, 0), work.dim(0, 1)), *parameters - *biases);
}

// Each score is a product of as many numbers as a head has; the projections of a head stand side by
// side.
template <std::uint64_t kProjections>
Number attention_scores(const Work& work) {
  const Number heads = times(work.number("heads"), kProjections);
  const Number width = work.dim(0, 2);
  if (!heads || !width || *heads == 0) return std::nullopt;
  return times(work.size.count(work.output), *width / *heads);
}

Number attention_values(const Work& work) {
  return times(work.size.count(work.output), work.dim(1, 2));
}

using Rule = Number (*)(const Work&);

const std::map<std::string_view, Rule>& rules() {
  static const std::map<std::string_view, Rule> table = {
      {"Convolution", convolution},
      {"Deconvolution", deconvolution},
      {"_contrib_DeformableConvolution", convolution},
      {"_contrib_ModulatedDeformableConvolution", convolution},
      {"_contrib_interleaved_matmul_encdec_qk", attention_scores<1>},
      {"_contrib_interleaved_matmul_encdec_valatt", attention_values},
      {"_contrib_interleaved_matmul_selfatt_qk", attention_scores<3>},
      {"_contrib_interleaved_matmul_selfatt_valatt", attention_values},
      {"FullyConnected", convolution},
      {"_np_dot", product},
      {"_np_matmul", product},
      {"_npi_matmul", product},
      {"_linalg_gemm", product},
      {"_linalg_gemm2", product},
      {"batch_dot", product},
      {"dot", dot},
      {"RNN", recurrent},
  };
  return table;
}

Number multiply_adds(const Model& model, const std::vector<EntryInfo>& types, std::size_t index,
                     const SizeEvaluator& size) {
  const ModelNode& node = model.nodes[index];
  if (node.def == nullptr) return std::nullopt;
  // How often a body runs is not known.
  if (!node.bodies.empty()) return std::nullopt;
  const auto rule = rules().find(node.def->name());
  if (rule == rules().end()) return 0;
  const mxnet::Node& raw = model.symbol.nodes[index];
  Work work{{}, node.input_names, types[model.first_entry[index]].type.shape, raw.attrs, size};
  for (const auto& input : raw.inputs) {
    work.inputs.push_back(&types[model.entry(input)].type.shape);
  }
  return rule->second(work);
}

}  // namespace

PortReport describe_port(std::string name, const TensorType& type) {
  PortReport port{std::move(name), std::string(dtype_name(type.dtype)), {}};
  for (const Dim& dim : type.shape.dims()) port.shape.push_back(dim.to_string());
  if (!type.shape.known_rank()) port.shape = {"..."};
  return port;
}

ParameterSize parameter_size(const ModelNode& node, const TensorType& type) {
  if (node.role == VariableRole::kParameter && node.data) {
    return {static_cast<std::uint64_t>(node.data->count()), node.data->size_bytes()};
  }
  if (node.role != VariableRole::kRandom) return {};
  const Number count = SizeEvaluator(std::vector<std::string>()).count(type.shape);
  const bool is_known = type.dtype != DType::kUnknown;
  return {count, is_known ? times(count, dtype_size(type.dtype)) : std::nullopt};
}

std::vector<std::string> first_sizes(const Model& model, const std::vector<EntryInfo>& types) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (model.nodes[i].role != VariableRole::kInput) continue;
    const Shape& shape = types[model.first_entry[i]].type.shape;
    if (shape.rank() == 0) continue;
    const std::string name(shape[0].symbol_name());
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

std::vector<LayerInfo> list_layers(const Model& model, const std::vector<EntryInfo>& types,
                                   const std::vector<std::string>& ones) {
  const SizeEvaluator size(ones);
  std::vector<LayerInfo> layers;
  std::vector<char> counted(model.nodes.size(), 0);
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const mxnet::Node& raw = model.symbol.nodes[i];
    if (!model.nodes[i].live || raw.is_variable()) continue;
    PortReport output = describe_port(raw.name, types[model.first_entry[i]].type);
    LayerInfo layer{raw.name, raw.op, std::move(output.dtype), std::move(output.shape)};
    for (const auto& input : raw.inputs) {
      if (counted[input.node] != 0) continue;
      counted[input.node] = 1;
      const auto held =
          parameter_size(model.nodes[input.node], types[model.first_entry[input.node]].type);
      layer.parameters = plus(layer.parameters, held.count);
      layer.parameter_bytes = plus(layer.parameter_bytes, held.bytes);
    }
    layer.multiply_adds = multiply_adds(model, types, i, size);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace mx2onnx
