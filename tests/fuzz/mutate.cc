#include "tests/fuzz/mutate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "ops/record/registry.h"

namespace mx2onnx::fuzz {
namespace {

using mxnet::Node;
using mxnet::NodeEntry;
using mxnet::Symbol;

constexpr std::size_t kMostNodes = 48;
constexpr std::int64_t kMostElements = 4096;

std::uint32_t index_of(std::size_t i) { return static_cast<std::uint32_t>(i); }

// How many outputs a node has, as far as its attributes say it.
std::size_t outputs_of(const Node& node) {
  const OpDef* def = Registry::instance().find(node.op);
  if (def == nullptr) return 1;
  std::vector<AttrProblem> problems;
  const auto params = def->attrs.parse(node.attrs, problems);
  constexpr std::size_t kMost = 16;
  return problems.empty() ? std::min(def->outputs(params.get(), node.inputs.size()).size(), kMost)
                          : 1;
}

/// One symbol while it is changed: that of the model, or one of a control-flow operator's.
class SymbolMutator {
 public:
  SymbolMutator(FuzzModel& model, Symbol& symbol, Draw& draw)
      : model_(model), symbol_(symbol), draw_(draw) {}

  void change() {
    if (symbol_.nodes.empty()) return add_variable();
    switch (draw_.below(18)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return change_attribute();
      case 4:
        return change_operator();
      case 5:
      case 6:
      case 7:
        return add_node();
      case 8:
        return insert_on_edge();
      case 9:
      case 10:
        return move_edge();
      case 11:
        return remove_node();
      case 12:
      case 13:
        return change_shape();
      case 14:
        return change_heads();
      case 15:
        return change_parameter();
      case 16:
        return change_name();
      default:
        return change_file();
    }
  }

  void add_node() {
    const OpDef& def = draw_operator();
    Node node{.op = draw_.of(def.names), .name = fmt::format("op{}", symbol_.nodes.size())};
    draw_attributes(def, node);
    wire(def, node);
    symbol_.nodes.push_back(std::move(node));
    const NodeEntry made{
        index_of(symbol_.nodes.size() - 1),
        index_of(draw_.below(std::max<std::size_t>(1, outputs_of(symbol_.nodes.back()))))};
    if (symbol_.heads.empty() || draw_.once_in(4)) {
      symbol_.heads.push_back(made);
    } else {
      symbol_.heads[draw_.below(symbol_.heads.size())] = made;
    }
  }

  void add_variable() {
    Node node{.name = fmt::format("data{}", symbol_.nodes.size())};
    node.attrs["__shape__"] = shape_text(draw_.shape());
    if (draw_.once_in(5)) node.attrs["__dtype__"] = std::to_string(draw_.below(13));
    symbol_.nodes.push_back(std::move(node));
  }

  void remove(std::size_t at) {
    const Node gone = symbol_.nodes[at];
    symbol_.nodes.erase(symbol_.nodes.begin() + static_cast<std::ptrdiff_t>(at));
    const auto mend = [&](NodeEntry& entry) {
      if (entry.node == at) {
        entry = gone.inputs.empty() ? NodeEntry{index_of(at == 0 ? 0 : at - 1), 0} : gone.inputs[0];
      } else if (entry.node > at) {
        --entry.node;
      }
    };
    for (std::size_t i = at; i < symbol_.nodes.size(); ++i) {
      for (auto& input : symbol_.nodes[i].inputs) mend(input);
      // What was fed by the first of all nodes has nothing left before it.
      if (at == 0) std::erase_if(symbol_.nodes[i].inputs, [&](auto& e) { return e.node >= i; });
    }
    for (auto& head : symbol_.heads) mend(head);
    std::erase_if(symbol_.heads, [&](auto& e) { return e.node >= symbol_.nodes.size(); });
  }

 private:
  Node& some_node() { return symbol_.nodes[draw_.below(symbol_.nodes.size())]; }

  // Mostly a node that is no variable.
  Node* some_operator() {
    for (int tries = 0; tries < 8; ++tries) {
      Node& node = some_node();
      if (!node.is_variable()) return &node;
    }
    return nullptr;
  }

  const OpDef& draw_operator() { return draw_.of(Registry::instance().ops()); }

  NodeEntry draw_entry(std::size_t before) {
    constexpr std::size_t kNear = 5;
    const std::size_t near = std::min(before, kNear);
    const std::size_t node =
        draw_.once_in(3) ? draw_.below(before) : before - 1 - draw_.below(near);
    const std::size_t count = std::max<std::size_t>(1, outputs_of(symbol_.nodes[node]));
    return {index_of(node), index_of(draw_.below(count))};
  }

  void draw_attributes(const OpDef& def, Node& node) {
    for (const auto& field : def.attrs.fields()) {
      if (field.required || (!field.ignored && draw_.once_in(3)))
        node.attrs[field.name] = draw_.value(field);
    }
  }

  // Data from what there is, parameters as new variables.
  void wire(const OpDef& def, Node& node) {
    std::vector<AttrProblem> problems;
    const auto params = def.attrs.parse(node.attrs, problems);
    if (!problems.empty()) return;
    auto inputs = def.inputs(params.get());
    if (def.variadic) {
      inputs.resize(1 + draw_.below(3), inputs.empty() ? InputDef{"data"} : inputs[0]);
      for (const char* count : {"num_args", "num_inputs", "num_arrays"}) {
        if (def.attrs.find(count) != nullptr) node.attrs[count] = std::to_string(inputs.size());
      }
    } else if (def.num_optional_inputs > 0 && draw_.once_in(2)) {
      inputs.resize(inputs.size() - std::min(inputs.size(), def.num_optional_inputs));
    }
    constexpr std::size_t kMostInputs = 20;
    inputs.resize(std::min(inputs.size(), kMostInputs));
    for (const auto& input : inputs) {
      const bool is_data = input.role == InputRole::kData && !draw_.once_in(10);
      if (is_data && !symbol_.nodes.empty()) {
        node.inputs.push_back(draw_entry(symbol_.nodes.size()));
        continue;
      }
      symbol_.nodes.push_back({.name = fmt::format("{}_{}", node.name, input.name)});
      if (input.role == InputRole::kData)
        symbol_.nodes.back().attrs["__shape__"] = shape_text(draw_.shape());
      node.inputs.push_back({index_of(symbol_.nodes.size() - 1), 0});
    }
  }

  void change_attribute() {
    Node* node = some_operator();
    const OpDef* def = node == nullptr ? nullptr : Registry::instance().find(node->op);
    if (def == nullptr || def->attrs.fields().empty()) return;
    const AttrField& field = draw_.of(def->attrs.fields());
    if (!field.required && draw_.once_in(6)) {
      node->attrs.erase(field.name);
    } else if (const auto found = node->attrs.find(field.name);
               found != node->attrs.end() && draw_.once_in(3)) {
      change_text(found->second);
    } else {
      node->attrs[field.name] = draw_.value(field);
    }
  }

  // A digit, or a character, becomes another one.
  void change_text(std::string& text) {
    if (text.empty()) return;
    const std::size_t at = draw_.below(text.size());
    constexpr std::string_view kLetters = "0123456789-,().eNnone ";
    text[at] = draw_.of(kLetters);
  }

  void change_operator() {
    Node* node = some_operator();
    if (node == nullptr) return;
    const OpDef& def = draw_operator();
    node->op = draw_.of(def.names);
    if (!draw_.once_in(3)) {
      node->attrs.clear();
      draw_attributes(def, *node);
    }
  }

  void insert_on_edge() {
    const std::size_t at = draw_.below(symbol_.nodes.size());
    if (symbol_.nodes[at].inputs.empty()) return;
    const std::size_t edge = draw_.below(symbol_.nodes[at].inputs.size());
    const OpDef& def = draw_operator();
    Node node{.op = def.name(),
              .name = fmt::format("in{}", symbol_.nodes.size()),
              .inputs = {symbol_.nodes[at].inputs[edge]}};
    draw_attributes(def, node);
    while (node.inputs.size() < 4 && draw_.once_in(3)) node.inputs.push_back(node.inputs[0]);
    const auto shift = [&](NodeEntry& entry) { entry.node += entry.node >= at ? 1 : 0; };
    for (auto& other : symbol_.nodes)
      std::for_each(other.inputs.begin(), other.inputs.end(), shift);
    std::for_each(symbol_.heads.begin(), symbol_.heads.end(), shift);
    symbol_.nodes.insert(symbol_.nodes.begin() + static_cast<std::ptrdiff_t>(at), std::move(node));
    symbol_.nodes[at + 1].inputs[edge] = {index_of(at), 0};
  }

  void move_edge() {
    const std::size_t at = draw_.below(symbol_.nodes.size());
    Node& node = symbol_.nodes[at];
    if (node.is_variable() || at == 0) return;
    if (node.inputs.empty() || draw_.once_in(8)) {
      node.inputs.push_back(draw_entry(at));
    } else if (draw_.once_in(8)) {
      node.inputs.pop_back();
    } else if (draw_.once_in(4)) {
      std::swap(node.inputs[0], node.inputs.back());
    } else {
      node.inputs[draw_.below(node.inputs.size())] = draw_entry(at);
    }
  }

  void remove_node() {
    if (symbol_.nodes.size() > 1) remove(draw_.below(symbol_.nodes.size()));
  }

  void change_shape() {
    for (int tries = 0; tries < 8; ++tries) {
      Node& node = some_node();
      if (!node.is_variable()) continue;
      if (draw_.once_in(4)) {
        node.attrs["__dtype__"] = std::to_string(draw_.below(13));
        return;
      }
      Tuple shape;
      const auto found = node.attrs.find("__shape__");
      if (found == node.attrs.end() || !parse_attr(found->second, shape) || shape.empty() ||
          draw_.once_in(6)) {
        shape = draw_.shape();
      } else if (draw_.once_in(5)) {
        shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(draw_.below(shape.size() + 1)),
                     draw_.size());
      } else if (draw_.once_in(5)) {
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(draw_.below(shape.size())));
      } else {
        shape[draw_.below(shape.size())] = draw_.size();
      }
      if (draw_.once_in(20)) {
        node.attrs.erase("__shape__");
      } else {
        node.attrs["__shape__"] = shape_text(shape);
      }
      return;
    }
  }

  void change_heads() {
    const NodeEntry entry = draw_entry(symbol_.nodes.size());
    if (symbol_.heads.size() > 1 && draw_.once_in(2)) {
      symbol_.heads.erase(symbol_.heads.begin() +
                          static_cast<std::ptrdiff_t>(draw_.below(symbol_.heads.size())));
    } else if (symbol_.heads.empty() || draw_.once_in(2)) {
      symbol_.heads.push_back(entry);
    } else {
      symbol_.heads[draw_.below(symbol_.heads.size())] = entry;
    }
  }

  void change_parameter() {
    if (!model_.params.empty() && draw_.once_in(2)) {
      auto& params = model_.params;
      if (draw_.once_in(3)) {
        params.erase(params.begin() + static_cast<std::ptrdiff_t>(draw_.below(params.size())));
        return;
      }
      auto& array = params[draw_.below(params.size())];
      array.tensor = draw_tensor(array.tensor.dims);
      return;
    }
    for (int tries = 0; tries < 8; ++tries) {
      const Node& node = some_node();
      if (!node.is_variable()) continue;
      Tuple shape;
      const auto found = node.attrs.find("__shape__");
      if (found == node.attrs.end() || !parse_attr(found->second, shape)) shape = draw_.shape();
      const char* kind = draw_.once_in(5) ? "aux:" : draw_.once_in(8) ? "" : "arg:";
      model_.params.push_back({kind + node.name, draw_tensor(shape)});
      return;
    }
  }

  Tensor draw_tensor(std::vector<std::int64_t> dims) {
    std::int64_t count = 1;
    for (auto& dim : dims) {
      if (dim < 0 || dim > kMostElements / std::max<std::int64_t>(count, 1)) dim = 2;
      count *= dim;
    }
    const bool is_plain = !draw_.once_in(4);
    const auto dtype = is_plain
                           ? DType::kFloat32
                           : static_cast<DType>(draw_.below(static_cast<int>(DType::kUnknown)));
    constexpr double kOdd[] = {0,
                               1,
                               -1,
                               1e30,
                               -1e-40,
                               std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()};
    std::vector<double> values(static_cast<std::size_t>(count));
    const std::size_t kind = draw_.below(4);
    for (auto& value : values) {
      value = kind == 0   ? static_cast<double>(draw_.from_to(-2, 6))
              : kind == 1 ? draw_.of(kOdd)
                          : static_cast<double>(draw_.from_to(-99, 99)) / 50;
    }
    return make_tensor_as(dtype, std::move(dims), values);
  }

  void change_name() {
    Node& node = some_node();
    constexpr const char* kNames[] = {"",      "data", "data_0", "a/b",   "x:0", "\xff\xfe",
                                      "label", "0",    "%s",     "batch", "__"};
    const bool is_other = draw_.once_in(2);
    const std::string name = is_other ? some_node().name : std::string(draw_.of(kNames));
    for (auto& array : model_.params) {
      if (array.name == "arg:" + node.name && !draw_.once_in(4)) array.name = "arg:" + name;
    }
    node.name = name;
  }

  void change_file() {
    constexpr std::int64_t kVersions[] = {700,   800,   900,   905,   1000,  1100,  1200, 1301,
                                          10400, 10500, 10600, 10700, 10901, 20000, 99999};
    Symbol& whole = model_.symbol;
    if (draw_.once_in(2)) {
      whole.np_shape = !whole.np_shape;
    } else {
      whole.says_version = !draw_.once_in(8);
      whole.mxnet_version = draw_.of(kVersions);
    }
  }

  FuzzModel& model_;
  Symbol& symbol_;
  Draw& draw_;
};

// Goes down into a subgraph now and then.
void change_somewhere(FuzzModel& model, Symbol& symbol, Draw& draw, int depth = 0) {
  constexpr int kDeepest = 6;
  for (auto& node : symbol.nodes) {
    if (node.subgraphs.empty() || depth == kDeepest || !draw.once_in(3)) continue;
    auto& body = node.subgraphs[draw.below(node.subgraphs.size())];
    Symbol changed = *body;
    change_somewhere(model, changed, draw, depth + 1);
    body = std::make_shared<Symbol>(std::move(changed));
    return;
  }
  SymbolMutator(model, symbol, draw).change();
}

}  // namespace

void mutate(FuzzModel& model, Draw& draw) {
  const std::size_t changes = 1 + (draw.once_in(2) ? draw.below(4) : 0);
  for (std::size_t i = 0; i < changes; ++i) change_somewhere(model, model.symbol, draw);
  SymbolMutator mutator(model, model.symbol, draw);
  while (model.symbol.nodes.size() > kMostNodes)
    mutator.remove(draw.below(model.symbol.nodes.size()));
}

FuzzModel new_model(Draw& draw) {
  FuzzModel model;
  model.symbol.mxnet_version = 10901;
  model.symbol.says_version = true;
  SymbolMutator mutator(model, model.symbol, draw);
  mutator.add_variable();
  mutator.add_node();
  return model;
}

FuzzModel joined(FuzzModel first, const FuzzModel& second, Draw& draw) {
  Symbol& symbol = first.symbol;
  const auto offset = index_of(symbol.nodes.size());
  if (offset == 0) return second;
  bool is_fed = false;
  std::vector<NodeEntry> place(second.symbol.nodes.size());
  for (std::size_t i = 0; i < second.symbol.nodes.size(); ++i) {
    Node node = second.symbol.nodes[i];
    if (node.is_variable() && !is_fed) {
      is_fed = true;
      place[i] = {index_of(draw.below(offset)), 0};
      continue;
    }
    for (auto& input : node.inputs) {
      const NodeEntry& to = place[input.node];
      input = {to.node, to.node < offset ? to.index : input.index};
    }
    if (!draw.once_in(4)) node.name += "_b";
    place[i] = {index_of(symbol.nodes.size()), 0};
    symbol.nodes.push_back(std::move(node));
  }
  if (!draw.once_in(3)) symbol.heads.clear();
  for (const auto& head : second.symbol.heads) {
    const NodeEntry& to = place[head.node];
    symbol.heads.push_back({to.node, to.node < offset ? to.index : head.index});
  }
  for (auto array : second.params) {
    array.name += "_b";
    first.params.push_back(std::move(array));
  }
  return first;
}

}  // namespace mx2onnx::fuzz
