// One record per MXNet operator: names, attributes, inputs, outputs, shape rule, translation,
// limits. Everything the program knows of an operator, and everything the documentation says of it,
// is here.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/record/attr_schema.h"
#include "ops/record/infer_context.h"
#include "ops/record/translation.h"

namespace mx2onnx {

enum class InputRole {
  kData,    ///< Computed, or fed by the user.
  kWeight,  ///< A parameter: if no file has it, it is missing.
  kAux,     ///< An auxiliary state (a running mean); as kWeight.
  kLabel,   ///< Of a loss; not looked at at inference, and not an input of the converted model.
};

struct InputDef {
  std::string name;
  InputRole role = InputRole::kData;
};

/// Whether a target opset (and what else is known before inference) allows an attribute value.
struct CheckContext {
  int opset;
  bool np_shape;
};

/// Where a variable of a subgraph gets its value from.
struct BodyInput {
  std::size_t input;       ///< Input of the control-flow operator.
  bool invariant = false;  ///< The input itself, each time the subgraph runs.
};

struct OpDef {
  std::vector<std::string> names;  ///< Canonical name first, aliases after.
  std::string summary;
  AttrSchema attrs;

  /// The inputs that the operator has with given attributes. For an operator with any number of
  /// inputs this is one InputDef, for each of them.
  std::function<std::vector<InputDef>(const void* params)> inputs;
  bool variadic = false;
  /// Inputs at the end that a symbol may leave out.
  std::size_t num_optional_inputs = 0;
  /// The names of the outputs: "output", or several.
  std::function<std::vector<std::string>(const void* params, std::size_t num_inputs)> outputs;

  /// Of a control-flow operator: for each of its subgraphs, what feeds its variables. Empty for
  /// other operators.
  std::function<std::vector<std::vector<BodyInput>>(const void* params)> bodies;

  std::function<void(const void* params, InferContext&)> infer;
  std::function<void(const void* params, Translation&)> translate;
  /// What of the attributes' values cannot be expressed at the target opset; may be empty.
  std::function<std::vector<AttrProblem>(const void* params, const CheckContext&)> check;

  /// ONNX operators without which there is no translation, whatever the attributes.
  std::vector<std::string> needs;

  /// The translation does not look at shapes: that of the inputs may be unknown, down to the number
  /// of dimensions, where the model has nodes of a custom domain.
  bool any_shape = false;

  std::vector<std::string> notes;  ///< Known limits, each one sentence.

  const std::string& name() const { return names.front(); }

  /// What of the operator, or of these attribute values, cannot be expressed at the opset.
  std::vector<AttrProblem> problems_at(const void* params, const CheckContext& context) const;
};

/// Fills in an OpDef for the parameter struct P, fluently.
template <typename P>
class OpDeclarer {
 public:
  explicit OpDeclarer(OpDef& def) : def_(def) {
    def_.attrs = AttrSchema::of<P>();
    inputs({{"data", InputRole::kData}});
    outputs({"output"});
  }

  OpDeclarer& summary(std::string text) {
    def_.summary = std::move(text);
    return *this;
  }
  OpDeclarer& inputs(std::vector<InputDef> inputs) {
    def_.inputs = [inputs = std::move(inputs)](const void*) { return inputs; };
    return *this;
  }
  /// Inputs that depend on attributes.
  OpDeclarer& inputs_by(std::function<std::vector<InputDef>(const P&)> inputs) {
    def_.inputs = [inputs = std::move(inputs)](const void* p) { return inputs(params(p)); };
    return *this;
  }
  OpDeclarer& variadic() {
    def_.variadic = true;
    return *this;
  }
  OpDeclarer& optional_inputs(std::size_t count) {
    def_.num_optional_inputs = count;
    return *this;
  }
  OpDeclarer& bodies(std::function<std::vector<std::vector<BodyInput>>(const P&)> bodies) {
    def_.bodies = [bodies = std::move(bodies)](const void* p) { return bodies(params(p)); };
    return *this;
  }
  OpDeclarer& outputs(std::vector<std::string> names) {
    def_.outputs = [names = std::move(names)](const void*, std::size_t) { return names; };
    return *this;
  }
  OpDeclarer& outputs_by(std::function<std::vector<std::string>(const P&, std::size_t)> outputs) {
    def_.outputs = [outputs = std::move(outputs)](const void* p, std::size_t num_inputs) {
      return outputs(params(p), num_inputs);
    };
    return *this;
  }
  OpDeclarer& infer(std::function<void(const P&, InferContext&)> rule) {
    def_.infer = [rule = std::move(rule)](const void* p, InferContext& context) {
      rule(params(p), context);
    };
    return *this;
  }
  OpDeclarer& translate(std::function<void(const P&, Translation&)> rule) {
    def_.translate = [rule = std::move(rule)](const void* p, Translation& translation) {
      rule(params(p), translation);
    };
    return *this;
  }
  OpDeclarer& check(std::function<std::vector<AttrProblem>(const P&, const CheckContext&)> rule) {
    def_.check = [rule = std::move(rule)](const void* p, const CheckContext& context) {
      return rule(params(p), context);
    };
    return *this;
  }
  /// Says that there is no translation at opsets that do not have this ONNX operator.
  OpDeclarer& needs(std::string op_type) {
    def_.needs.push_back(std::move(op_type));
    return *this;
  }
  /// Says that the translation does not look at shapes.
  OpDeclarer& any_shape() {
    def_.any_shape = true;
    return *this;
  }
  OpDeclarer& note(std::string text) {
    def_.notes.push_back(std::move(text));
    return *this;
  }

 private:
  static const P& params(const void* p) { return *static_cast<const P*>(p); }
  OpDef& def_;
};

}  // namespace mx2onnx
