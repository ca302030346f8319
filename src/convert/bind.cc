#include "convert/bind.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/nearest.h"
#include "base/text.h"
#include "convert/match_blocks.h"
#include "convert/match_names.h"
#include "mxnet/input_spec.h"

namespace mx2onnx {
namespace {

std::vector<std::string> variable_names(const Model& model, bool live_only) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (raw.is_variable() && (model.nodes[i].live || !live_only)) names.push_back(raw.name);
  }
  return names;
}

const InputSpec* find_spec(const ConvertOptions& options, std::string_view name) {
  for (const auto& spec : options.inputs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

void check_specs(const Model& model, const ConvertOptions& options, Report& report) {
  const auto all = variable_names(model, false);
  const auto live = variable_names(model, true);
  std::set<std::string> seen;
  for (const auto& spec : options.inputs) {
    if (!seen.insert(spec.name).second) {
      fail(ErrorCode::kUsage, fmt::format("input '{}' is given twice", spec.name));
    }
    if (std::find(live.begin(), live.end(), spec.name) != live.end()) continue;
    if (std::find(all.begin(), all.end(), spec.name) != all.end()) {
      report.diagnostics.push_back(
          {"W-unused-input", spec.name,
           fmt::format("input '{}' is not needed for the outputs and is left out", spec.name)});
      continue;
    }
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      if (model.nodes[i].live && model.nodes[i].role == VariableRole::kInput) {
        inputs.push_back("'" + model.symbol.nodes[i].name + "'");
      }
    }
    const auto like = nearest(spec.name, all, 1);
    std::string hint = !like.empty() ? fmt::format("did you mean '{}'?", like[0])
                                     : "inputs of the model: " + join_alternatives(inputs);
    const auto parts = split_once(spec.name, ':');
    if (parts && std::find(all.begin(), all.end(), parts->first) != all.end()) {
      hint = fmt::format("sizes are separated by commas, as in {}:1,3,224,224", parts->first);
    }
    fail(ErrorCode::kUsage, fmt::format("the model has no input '{}'", spec.name), hint);
  }
}

[[noreturn]] void fail_missing(const Model& model, const std::vector<std::size_t>& missing,
                               const mxnet::ParameterSet& params, bool may_be_inputs) {
  constexpr std::size_t kMostListed = 10;
  const auto surplus = surplus_names(model, params);
  const std::string text =
      missing.size() == 1
          ? "1 parameter is in none of the parameter files:"
          : fmt::format("{} parameters are in none of the parameter files:", missing.size());
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < std::min(missing.size(), kMostListed); ++i) {
    const std::string& name = model.symbol.nodes[missing[i]].name;
    std::string line = fmt::format("'{}'", name);
    const auto like = nearest(name, surplus, 2);
    for (std::size_t k = 0; k < like.size(); ++k) {
      line += fmt::format("{}'{}'", k == 0 ? ", the nearest stored: " : ", ", like[k]);
    }
    lines.push_back(std::move(line));
  }
  if (missing.size() > kMostListed)
    lines.push_back(fmt::format("and {} more", missing.size() - kMostListed));
  std::string hint;
  for (const auto& rule : suggest_rules(model, params, missing)) {
    hint += fmt::format("{}--rename-param '{}={}'", hint.empty() ? "" : " ", rule.from, rule.to);
  }
  if (hint.empty()) {
    hint = params.size() == 0 ? "name the .params file, or ask for --random-weights"
           : surplus.size() == params.size() && has_block_names(surplus)
               ? "the file has the names of save_parameters, and not the symbol's; where the "
                 "network is at hand: net.load_parameters(...), net.hybridize(), net(x), "
                 "net.export('model') writes both"
               : "a parameter may lie in a second file, or have another name (--rename-param)";
    if (may_be_inputs) hint += "; what is an input has to be named as one (--input)";
  }
  fail_with_list(ErrorCode::kModel, text, lines, hint);
}

void report_surplus(const Model& model, const mxnet::ParameterSet& params,
                    const std::set<std::string>& renamed, Report& report) {
  auto surplus = surplus_names(model, params);
  std::erase_if(surplus, [&](const auto& name) { return renamed.contains(name); });
  if (surplus.empty()) return;
  report.diagnostics.push_back(
      {"W-unused-parameter", surplus[0],
       fmt::format("{} stored parameter{} not in the symbol, '{}' for instance; left out",
                   surplus.size(), surplus.size() == 1 ? " is" : "s are", surplus[0])});
}

// `__shape__` of a variable: unknown sizes are 0, under NumPy semantics -1.
Shape hidden_shape(const mxnet::Node& variable, bool np_shape) {
  const auto text = variable.attrs.find("__shape__");
  Tuple tuple;
  if (text == variable.attrs.end() || !parse_attr(text->second, tuple)) return {};
  if (tuple.empty() && !np_shape) return {};
  std::vector<Dim> dims;
  for (const auto size : tuple) {
    dims.push_back(size < 0 || (size == 0 && !np_shape) ? Dim() : Dim(size));
  }
  return Shape(std::move(dims));
}

// A shape with open sizes is no training batch's, but the rows of a state for instance.
void free_sizes(Shape& shape, TrainedShapes trained) {
  if (!shape.known() || trained == TrainedShapes::kAll) return;
  const std::size_t freed = trained == TrainedShapes::kRank ? shape.rank() : 1;
  for (std::size_t axis = 0; axis < std::min(freed, shape.rank()); ++axis) shape[axis] = Dim();
}

DType hidden_dtype(const mxnet::Node& variable) {
  const auto text = variable.attrs.find("__dtype__");
  const auto flag = text == variable.attrs.end() ? std::nullopt : parse_int(text->second);
  return flag ? dtype_from_flag(*flag).value_or(DType::kUnknown) : DType::kUnknown;
}

// Operators that give the elements of one or several arrays in another order or shape: what goes
// through them into a weight is one.
bool only_moves_elements(std::string_view op) {
  constexpr std::array<std::string_view, 21> kMoves = {
      "Reshape",   "reshape",       "_np_reshape", "_npx_reshape",      "reshape_like", "Flatten",
      "flatten",   "transpose",     "SwapAxis",    "swapaxes",          "expand_dims",  "squeeze",
      "Concat",    "concat",        "stack",       "_rnn_param_concat", "_copy",        "identity",
      "BlockGrad", "stop_gradient", "Cast"};
  return std::find(kMoves.begin(), kMoves.end(), op) != kMoves.end();
}

// Which variables are weights by what they are used for.
enum class WeightUse : char {
  kNone,
  kMoved,   ///< Through operators that only move elements, and for nothing else.
  kDirect,  ///< Put into an operator as one.
};

std::vector<WeightUse> used_as_weights(const Model& model) {
  struct Uses {
    bool direct = false;
    bool moved = false;
    bool other = false;
    bool only_weight() const { return (direct || moved) && !other; }
  };
  std::vector<Uses> uses(model.nodes.size());
  for (const auto& head : model.symbol.heads) uses[head.node].other = true;
  for (std::size_t i = model.nodes.size(); i-- > 0;) {
    const auto& raw = model.symbol.nodes[i];
    if (!model.nodes[i].live) continue;
    const bool passes_on = uses[i].only_weight() && only_moves_elements(raw.op);
    for (std::size_t k = 0; k < raw.inputs.size(); ++k) {
      const InputRole role = model.nodes[i].input_roles[k];
      const bool is_weight = role == InputRole::kWeight || role == InputRole::kAux;
      Uses& input = uses[raw.inputs[k].node];
      (is_weight ? input.direct : passes_on ? input.moved : input.other) = true;
    }
  }
  std::vector<WeightUse> result;
  for (const auto& use : uses) {
    result.push_back(use.direct          ? WeightUse::kDirect
                     : use.only_weight() ? WeightUse::kMoved
                                         : WeightUse::kNone);
  }
  return result;
}

// True for variables that were made to be trained: Gluon's parameters say how fast, whatever they
// are used for. A layout is what inputs and states have.
bool is_made_for_training(const mxnet::Node& variable) {
  const auto has = [&](std::string_view key) { return variable.attrs.contains(key); };
  if (has("__layout__")) return false;
  return has("__lr_mult__") || has("__wd_mult__") || (has("__init__") && has("__shape__"));
}

// The content of parameters, for the variables of subgraphs that stand for them.
void hand_to_bodies(Model& model) {
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    ModelNode& node = model.nodes[i];
    if (node.bodies.empty()) continue;
    const auto feeds = node.def->bodies(node.params.get());
    for (std::size_t k = 0; k < node.bodies.size(); ++k) {
      Model& body = *node.bodies[k];
      const auto variables = body.variables();
      for (std::size_t v = 0; v < variables.size(); ++v) {
        const auto& from = model.symbol.nodes[i].inputs[feeds[k][v].input];
        if (feeds[k][v].invariant) body.nodes[variables[v]].data = model.nodes[from.node].data;
      }
      hand_to_bodies(body);
    }
  }
}

}  // namespace

void assign_roles(Model& model, const mxnet::ParameterSet& params, const ConvertOptions& options,
                  Report& report) {
  const auto uses = used_as_weights(model);
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    ModelNode& node = model.nodes[i];
    const auto& raw = model.symbol.nodes[i];
    if (!node.live || !raw.is_variable()) continue;
    const Tensor* tensor = params.find(raw.name);
    const bool is_given = find_spec(options, raw.name) != nullptr;
    if (!is_given && tensor != nullptr) {
      node.role = VariableRole::kParameter;
      node.data = *tensor;
    } else if (is_given || (uses[i] == WeightUse::kNone && !is_made_for_training(raw))) {
      node.role = VariableRole::kInput;
    } else {
      missing.push_back(i);
    }
  }
  check_specs(model, options, report);
  std::set<std::string> renamed;
  if (!missing.empty()) renamed = bind_by_rule(model, params, options, missing, report);
  if (!missing.empty() && renamed.empty())
    renamed = bind_by_blocks(model, params, options, missing, report);
  if (!missing.empty() && renamed.empty()) {
    const bool may_be_inputs = std::any_of(missing.begin(), missing.end(), [&](std::size_t i) {
      return uses[i] != WeightUse::kDirect;
    });
    if (!options.random_weights) fail_missing(model, missing, params, may_be_inputs);
    for (const auto index : missing) model.nodes[index].role = VariableRole::kRandom;
  }
  hand_to_bodies(model);
  report_surplus(model, params, renamed, report);
}

bool has_trained_shape(const Model& model, const ConvertOptions& options) {
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    const auto& raw = model.symbol.nodes[i];
    if (model.nodes[i].role != VariableRole::kInput || find_spec(options, raw.name) != nullptr)
      continue;
    const Shape shape = hidden_shape(raw, model.symbol.np_shape);
    if (shape.rank() > 0 && shape.known()) return true;
  }
  return false;
}

void declare_types(Model& model, const ConvertOptions& options, TrainedShapes trained,
                   const std::vector<SizeSolution>& fixed, DimArena& arena) {
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    ModelNode& node = model.nodes[i];
    const auto& raw = model.symbol.nodes[i];
    if (node.role == VariableRole::kNone) continue;
    if (node.role == VariableRole::kParameter) {
      node.declared = node.data->type();
      continue;
    }
    node.declared = {hidden_dtype(raw), hidden_shape(raw, model.symbol.np_shape)};
    const InputSpec* spec = find_spec(options, raw.name);
    if (node.role == VariableRole::kInput && (spec == nullptr || !spec->dims))
      free_sizes(node.declared.shape, trained);
    if (spec == nullptr) continue;
    if (!spec->dtype.empty()) {
      const auto dtype = dtype_from_name(spec->dtype);
      if (!dtype) {
        fail(ErrorCode::kUsage,
             fmt::format("input '{}': expected an element type such as float32, got {}", spec->name,
                         in_quotes(spec->dtype)));
      }
      node.declared.dtype = node.converted ? DType::kFloat32 : *dtype;
      if (is_integer(*dtype)) node.fed_as = *dtype;
    }
    if (spec->dims) {
      auto dims = mxnet::spec_dims(*spec, model.symbol.np_shape, arena);
      for (const auto& found : fixed) {
        for (auto& dim : dims) dim = substitute(dim, *found.atom, found.size);
      }
      node.declared.shape = Shape(std::move(dims));
    }
  }
}

}  // namespace mx2onnx
