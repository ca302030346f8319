// See control_flow_upgrade.h.
#include "mxnet/control_flow_upgrade.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace mx2onnx::mxnet {
namespace {

using Locations = std::vector<std::size_t>;

std::string text_of(const Locations& locations) {
  std::string text = "(";
  for (const auto location : locations) text += std::to_string(location) + ",";
  return text + ")";
}

// 3 of "data_subgraph3", for the kind "data".
std::optional<std::size_t> number_of(std::string_view name, std::string_view kind) {
  const std::string prefix = std::string(kind) + "_subgraph";
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::vector<std::string> variables_of(const Symbol& body) {
  std::vector<std::string> names;
  for (const auto& node : body.nodes) {
    if (node.is_variable()) names.push_back(node.name);
  }
  return names;
}

// The body with one variable of each name, the first one.
Symbol with_single_variables(const Symbol& body) {
  Symbol result = body;
  result.nodes.clear();
  std::map<std::string, std::uint32_t> first;
  std::vector<std::uint32_t> new_index;
  for (const auto& node : body.nodes) {
    const auto next = static_cast<std::uint32_t>(result.nodes.size());
    if (node.is_variable()) {
      const auto [known, is_new] = first.emplace(node.name, next);
      new_index.push_back(known->second);
      if (!is_new) continue;
    } else {
      new_index.push_back(next);
    }
    result.nodes.push_back(node);
    for (auto& input : result.nodes.back().inputs) input.node = new_index[input.node];
  }
  for (auto& head : result.heads) head.node = new_index[head.node];
  return result;
}

// The numbers are 0, 1, … without a gap, in any order and each once.
bool counts_up(std::vector<std::size_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != i) return false;
  }
  return true;
}

// Inputs are those of the data, the states and the others, of each in the order of the variables,
// a variable that occurs twice with an input for each.
void restore_foreach(Node& node) {
  const auto all = variables_of(*node.subgraphs[0]);
  if (all.size() != node.inputs.size()) return;
  const auto kind_of = [](const std::string& name) {
    return number_of(name, "data") ? 0 : number_of(name, "state") ? 1 : 2;
  };
  std::map<std::string, NodeEntry> input_of;
  std::size_t next = 0;
  for (int kind = 0; kind < 3; ++kind) {
    for (const auto& name : all) {
      if (kind_of(name) == kind) input_of.emplace(name, node.inputs[next++]);
    }
  }
  Symbol body = with_single_variables(*node.subgraphs[0]);
  const auto names = variables_of(body);
  Locations data;
  std::map<std::size_t, std::size_t> states;  // by number
  Locations others;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (number_of(names[i], "data")) {
      data.push_back(i);
    } else if (const auto number = number_of(names[i], "state")) {
      states.emplace(*number, i);
    } else {
      others.push_back(i);
    }
  }
  std::vector<std::size_t> numbers;
  Locations state_locations;
  for (const auto& [number, location] : states) {
    numbers.push_back(number);
    state_locations.push_back(location);
  }
  if (!counts_up(numbers) || states.size() > body.heads.size()) return;
  node.inputs.clear();
  for (const auto* locations : {&data, &state_locations, &others}) {
    for (const auto location : *locations) node.inputs.push_back(input_of.at(names[location]));
  }
  node.attrs["num_args"] = std::to_string(node.inputs.size());
  node.attrs["num_outputs"] = std::to_string(body.heads.size());
  node.attrs["num_out_data"] = std::to_string(body.heads.size() - states.size());
  node.attrs["in_data_locs"] = text_of(data);
  node.attrs["in_state_locs"] = text_of(state_locations);
  node.attrs["remain_locs"] = text_of(others);
  node.attrs["in_state_index"] = text_of(numbers);
  node.subgraphs[0] = std::make_shared<const Symbol>(std::move(body));
}

// Subgraphs whose variables are fed by inputs in the order in which their names first occur. Gives
// the inputs that feed each; nothing if there are not as many names as inputs.
std::optional<std::vector<Locations>> shared_inputs(Node& node, std::vector<Symbol>& bodies) {
  std::map<std::string, std::size_t> input_of;
  std::vector<Locations> result;
  for (const auto& subgraph : node.subgraphs) {
    bodies.push_back(with_single_variables(*subgraph));
    result.emplace_back();
    for (const auto& name : variables_of(bodies.back())) {
      if (!number_of(name, "data")) return std::nullopt;
      result.back().push_back(input_of.emplace(name, input_of.size()).first->second);
    }
  }
  if (input_of.size() != node.inputs.size()) return std::nullopt;
  return result;
}

void set_bodies(Node& node, std::vector<Symbol> bodies) {
  node.attrs["num_args"] = std::to_string(node.inputs.size());
  node.attrs["num_outputs"] = std::to_string(bodies.back().heads.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    node.subgraphs[i] = std::make_shared<const Symbol>(std::move(bodies[i]));
  }
}

void restore_while_loop(Node& node) {
  std::vector<Symbol> bodies;
  const auto inputs = shared_inputs(node, bodies);
  if (!inputs) return;
  // Every loop variable is one of the function's.
  const auto names = variables_of(bodies[1]);
  std::map<std::size_t, std::size_t> variables;  // by number
  for (std::size_t i = 0; i < names.size(); ++i) variables.emplace(*number_of(names[i], "data"), i);
  std::vector<std::size_t> numbers;
  Locations locations;
  for (const auto& [number, location] : variables) {
    numbers.push_back(number);
    locations.push_back(location);
  }
  if (!counts_up(numbers) || numbers.size() > bodies[1].heads.size()) return;
  node.attrs["num_out_data"] = std::to_string(bodies[1].heads.size() - numbers.size());
  node.attrs["cond_input_locs"] = text_of((*inputs)[0]);
  node.attrs["func_input_locs"] = text_of((*inputs)[1]);
  node.attrs["func_var_locs"] = text_of(locations);
  set_bodies(node, std::move(bodies));
}

void restore_cond(Node& node) {
  std::vector<Symbol> bodies;
  const auto inputs = shared_inputs(node, bodies);
  if (!inputs) return;
  node.attrs["cond_input_locs"] = text_of((*inputs)[0]);
  node.attrs["then_input_locs"] = text_of((*inputs)[1]);
  node.attrs["else_input_locs"] = text_of((*inputs)[2]);
  set_bodies(node, std::move(bodies));
}

}  // namespace

void restore_control_flow(Node& node) {
  if (node.attrs.contains("num_args")) return;
  if (node.op == "_npx_foreach" && node.subgraphs.size() == 1) restore_foreach(node);
  if (node.op == "_npx_while_loop" && node.subgraphs.size() == 2) restore_while_loop(node);
  if (node.op == "_npx_cond" && node.subgraphs.size() == 3) restore_cond(node);
}

}  // namespace mx2onnx::mxnet
