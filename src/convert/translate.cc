#include "convert/translate.h"

#include <set>

#include "base/budget.h"
#include "base/error.h"
#include "base/interruption.h"
#include "base/text.h"
#include "convert/preprocessing.h"
#include "convert/random_weights.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {
namespace {

/// What the translation of a model and of all its subgraphs have in common.
struct Shared {
  const InferResult& types;
  onnx::Builder& builder;
  std::vector<NodeProblem>& problems;
  std::vector<Diagnostic>& diagnostics;
  Trace* trace;  // null if nobody wants to know
};

/// Translates the nodes of a model, or of a subgraph, one after the other.
class NodeTranslator {
 public:
  NodeTranslator(const Model& model, const std::vector<EntryInfo>& types, Shared& shared)
      : model_(model),
        types_(types),
        shared_(shared),
        builder_(shared.builder),
        values_(model.num_entries),
        used_(model.num_entries, 0) {
    for (const auto& head : model_.symbol.heads) used_[model_.entry(head)] = 1;
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (!model_.nodes[i].live) continue;
      for (const auto& input : model_.symbol.nodes[i].inputs) used_[model_.entry(input)] = 1;
    }
  }

  void set_variable(std::size_t index, onnx::Value value) {
    values_[model_.first_entry[index]] = value;
  }
  onnx::Value value(const mxnet::NodeEntry& entry) const { return values_[model_.entry(entry)]; }

  void translate_nodes() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (model_.nodes[i].live && model_.nodes[i].def != nullptr) translate_node(i);
    }
  }

 private:
  void translate_node(std::size_t index) {
    interruption_point();
    const ModelNode& node = model_.nodes[index];
    const mxnet::Node& raw = model_.symbol.nodes[index];
    const std::string name = model_.path + raw.name;
    const ErrorScope scope = ErrorScope::node(static_cast<std::int64_t>(index), name, raw.op);
    builder_.begin_node(name);
    if (shared_.trace != nullptr && model_.depth == 0) {
      shared_.trace->begin_node(static_cast<std::uint32_t>(index), builder_.graph().num_values());
    }
    std::vector<Translation::Input> inputs;
    for (const auto& input : raw.inputs) {
      const EntryInfo& info = types_[model_.entry(input)];
      const auto& data = model_.nodes[input.node].data;
      inputs.push_back({values_[model_.entry(input)], &info.type, data ? &*data : nullptr,
                        info.value ? &*info.value : nullptr});
    }
    std::vector<Translation::Output> outputs;
    const std::uint32_t first = model_.first_entry[index];
    for (std::uint32_t i = 0; i < node.output_names.size(); ++i) {
      const EntryInfo& info = types_[first + i];
      outputs.push_back(
          {{}, &info.type, info.value ? &*info.value : nullptr, used_[first + i] != 0});
    }
    Translation translation(builder_, std::move(inputs), std::move(outputs),
                            [&](std::size_t body, const std::vector<onnx::Value>& values) {
                              return translate_body(*node.bodies[body], values);
                            });
    if (has_no_elements(node, first)) {
      set_empty_outputs(translation);
    } else {
      node.def->translate(node.params.get(), translation);
    }
    if (translation.refused()) {
      shared_.problems.push_back({static_cast<std::int64_t>(index), name, raw.op, "",
                                  translation.reason(), translation.hint(),
                                  ErrorCode::kUnsupported});
    }
    for (const auto& cast : builder_.take_runtime_casts()) {
      translation.warn("W-cast-for-runtime",
                       fmt::format("ONNX Runtime does not compute {} on {}: it is computed in {}",
                                   cast.op_type, dtype_name(cast.from), dtype_name(cast.through)));
    }
    for (const auto& [id, message] : translation.warnings()) {
      shared_.diagnostics.push_back(
          {id, name, fmt::format("node '{}' ({}): {}", name, raw.op, message)});
    }
    for (std::uint32_t i = 0; i < node.output_names.size(); ++i) {
      take_output(node, translation, i, first + i);
    }
  }

  // True if nothing has to be computed: MXNet starts no kernel for arrays of no elements, whatever
  // their element type, and ONNX Runtime has kernels that fail on them.
  bool has_no_elements(const ModelNode& node, std::uint32_t first) const {
    if (!node.bodies.empty()) return false;
    for (std::uint32_t i = 0; i < node.output_names.size(); ++i) {
      const TensorType& type = types_[first + i].type;
      const bool is_empty = type.known() && type.shape.is_static() && type.shape.is_empty();
      if (used_[first + i] != 0 && !is_empty) return false;
    }
    return true;
  }

  void set_empty_outputs(Translation& t) {
    for (std::size_t i = 0; i < t.num_outputs(); ++i) {
      if (!t.output_used(i)) continue;
      // One array of nothing is as good as another; a parameter keeps its name.
      const bool is_input = t.num_inputs() == 1 &&
                            t.input_type(0).dtype == t.output_type(i).dtype &&
                            t.input_shape(0) == t.output_shape(i);
      if (is_input) {
        t.set_output(i, t.input(0));
        continue;
      }
      t.set_output(i, onnx::fill(builder_, t.output_type(i).dtype, 0, t.output_shape(i)));
    }
  }

  // Recursion is as deep as control flow is nested, which the resolver bounds.
  std::vector<onnx::Value> translate_body(const Model& body,
                                          const std::vector<onnx::Value>& inputs) {
    const std::string name(builder_.node_name());
    NodeTranslator inner(body, shared_.types.bodies.at(&body), shared_);
    const auto variables = body.variables();
    for (std::size_t i = 0; i < variables.size(); ++i) inner.set_variable(variables[i], inputs[i]);
    inner.translate_nodes();
    builder_.begin_node(name);
    std::vector<onnx::Value> outputs;
    for (const auto& head : body.symbol.heads) outputs.push_back(inner.value(head));
    return outputs;
  }

  void take_output(const ModelNode& node, const Translation& translation, std::uint32_t i,
                   std::uint32_t entry) {
    if (translation.refused()) {
      // A stand-in, so that the rest of the model can be looked at.
      values_[entry] =
          builder_.graph().add_value({node.output_names[i], types_[entry].type, std::nullopt});
      return;
    }
    if (!translation.output(i).present()) {
      require(used_[entry] == 0, fmt::format("the translation did not set output {}", i));
      return;
    }
    if (used_[entry] == 0) return;
    check_type(translation.output(i), types_[entry].type);
    values_[entry] = builder_.name_output(translation.output(i), node.output_names[i]);
    builder_.graph().info(values_[entry]).type = types_[entry].type;
  }

  // The translation and the shape rule have to agree; this is what finds a slip in either.
  void check_type(onnx::Value value, const TensorType& expected) const {
    const TensorType& found = builder_.graph().type(value);
    bool agree = found.dtype == expected.dtype &&
                 (!found.shape.known_rank() || found.shape.rank() == expected.shape.rank());
    for (std::size_t axis = 0; agree && axis < found.shape.rank(); ++axis) {
      const Dim& dim = found.shape[axis];
      agree =
          !dim.is_constant() || !expected.shape[axis].is_constant() || dim == expected.shape[axis];
    }
    require(agree, fmt::format("the translation gives {}, inference {}", found.to_string(),
                               expected.to_string()));
  }

  const Model& model_;
  const std::vector<EntryInfo>& types_;
  Shared& shared_;
  onnx::Builder& builder_;
  std::vector<onnx::Value> values_;
  std::vector<char> used_;
};

/// Translates a whole model: inputs, parameters, nodes, outputs.
class ModelTranslator {
 public:
  ModelTranslator(const Model& model, const std::optional<Preprocessing>& preprocessing,
                  Shared& shared)
      : model_(model),
        types_(shared.types.entries),
        preprocessing_(preprocessing),
        shared_(shared),
        builder_(shared.builder),
        nodes_(model, types_, shared) {}

  void run() {
    reserve_names();
    if (preprocessing_) image_ = find_image_node(*preprocessing_, model_, shared_.types);
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) add_variable(i);
    nodes_.translate_nodes();
    if (shared_.problems.empty()) add_outputs();
  }

 private:
  std::string output_name(const mxnet::NodeEntry& entry) const {
    const ModelNode& node = model_.nodes[entry.node];
    return node.def == nullptr ? model_.symbol.nodes[entry.node].name
                               : node.output_names[entry.index];
  }

  // Inputs keep their names, then outputs, then parameters; what the translation makes up comes
  // last.
  void reserve_names() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (model_.nodes[i].role == VariableRole::kInput)
        builder_.reserve_name(model_.symbol.nodes[i].name);
    }
    for (const auto& head : model_.symbol.heads) builder_.reserve_name(output_name(head));
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (model_.nodes[i].role != VariableRole::kNone)
        builder_.reserve_name(model_.symbol.nodes[i].name);
    }
  }

  onnx::Value add_input(const std::string& name, const TensorType& type) {
    const onnx::Value value = builder_.add_input(name, type);
    for (std::size_t axis = 0; axis < type.shape.rank(); ++axis) {
      const auto symbol = type.shape[axis].symbol_name();
      if (!symbol.empty()) builder_.define_symbol(symbol, value, axis);
    }
    return value;
  }

  void add_variable(std::size_t index) {
    const ModelNode& node = model_.nodes[index];
    const std::string& name = model_.symbol.nodes[index].name;
    const std::uint32_t entry = model_.first_entry[index];
    const TensorType& type = types_[entry].type;
    switch (node.role) {
      case VariableRole::kNone:
        return;
      case VariableRole::kInput: {
        if (!input_names_.insert(name).second) {
          fail(ErrorCode::kModel, fmt::format("two inputs of the model have the name '{}'", name));
        }
        if (index == image_) {
          const onnx::Value image = add_input(name, image_type(*preprocessing_, name, type));
          builder_.begin_node(name);
          nodes_.set_variable(index, prepare_image(builder_, *preprocessing_, image, type));
        } else if (node.converted) {
          const onnx::Value fed = add_input(name, {node.fed_as, type.shape});
          builder_.begin_node(name);
          nodes_.set_variable(index, builder_.cast(fed, type.dtype));
        } else {
          nodes_.set_variable(index, add_input(name, type));
        }
        return;
      }
      case VariableRole::kParameter:
        nodes_.set_variable(index, builder_.add_parameter(name, *node.data));
        return;
      case VariableRole::kRandom:
        nodes_.set_variable(index, builder_.add_parameter(name, random_weights(name, type)));
        return;
    }
  }

  void add_outputs() {
    std::set<std::uint32_t> taken;
    for (const auto& head : model_.symbol.heads) {
      onnx::Value value = nodes_.value(head);
      const bool is_variable = model_.nodes[head.node].def == nullptr;
      builder_.begin_node(model_.symbol.nodes[head.node].name);
      // ONNX wants outputs that are no inputs and are all different.
      if (is_variable || !taken.insert(value.id).second) {
        const std::string name = output_name(head);
        value =
            builder_.name_output(builder_.identity(value), is_variable ? name + "_output" : name);
      }
      builder_.graph().main.outputs.push_back(value);
    }
  }

  const Model& model_;
  const std::vector<EntryInfo>& types_;
  const std::optional<Preprocessing>& preprocessing_;
  std::optional<std::size_t> image_;  // the node that preprocessing_ is for
  Shared& shared_;
  onnx::Builder& builder_;
  NodeTranslator nodes_;
  std::set<std::string> input_names_;
};

}  // namespace

onnx::QuantizedForm quantized_form_of(const ConvertOptions& options) {
  if (options.quantized_form == "qdq") return onnx::QuantizedForm::kQdq;
  if (options.quantized_form == "qlinear") return onnx::QuantizedForm::kQlinear;
  if (options.quantized_form == "float") return onnx::QuantizedForm::kFloat;
  fail(ErrorCode::kUsage, fmt::format("--quantized-form: expected qdq, qlinear or float, got {}",
                                      in_quotes(options.quantized_form)));
}

onnx::Graph translate_model(const Model& model, const InferResult& types,
                            const ConvertOptions& options, std::vector<NodeProblem>& problems,
                            std::vector<Diagnostic>& diagnostics, Trace* trace) {
  const BudgetScope budget;
  onnx::Graph graph;
  onnx::Builder builder(graph, options.opset);
  builder.set_quantized_form(quantized_form_of(options));
  Shared shared{types, builder, problems, diagnostics, trace};
  ModelTranslator(model, options.preprocessing, shared).run();
  if (trace != nullptr) trace->end_nodes(graph);
  return graph;
}

}  // namespace mx2onnx
