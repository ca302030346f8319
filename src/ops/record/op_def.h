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
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/record/attr_schema.h"
#include "ops/record/infer_context.h"
#include "ops/record/origin.h"
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

  /// What the name means in files of other MXNets: whole records, each for its `files`.
  std::vector<std::shared_ptr<const OpDef>> variants;
  OriginRange files;       ///< Of a variant.
  std::string difference;  ///< Of a variant: what is different, "gamma and beta per channel".

  const std::string& name() const { return names.front(); }

  /// The record for a file of this origin: the first variant that is for such files, else this.
  const OpDef& of(const Origin& origin) const;

  /// What of the operator, or of these attribute values, cannot be expressed at the opset.
  std::vector<AttrProblem> problems_at(const void* params, const CheckContext& context) const;
};

template <typename P>
class VariantDeclarer;

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
  /// Other notes than those so far, for a variant.
  OpDeclarer& notes(std::vector<std::string> texts) {
    def_.notes = std::move(texts);
    return *this;
  }
  /// As VariantDeclarer::variant; comes after everything else, because a variant starts from it.
  template <typename Q = P>
  VariantDeclarer<P> variant(
      OriginRange files, std::string difference,
      const std::type_identity_t<std::function<void(OpDeclarer<Q>&)>>& declare) {
    return VariantDeclarer<P>(def_).template variant<Q>(files, std::move(difference), declare);
  }

 private:
  friend class VariantDeclarer<P>;
  struct AsItIs {};
  OpDeclarer(OpDef& def, AsItIs /*as_it_is*/) : def_(def) {}

  static const P& params(const void* p) { return *static_cast<const P*>(p); }
  OpDef& def_;
};

/// Adds variants to a record that is complete otherwise.
template <typename P>
class VariantDeclarer {
 public:
  explicit VariantDeclarer(OpDef& def) : def_(def) {}

  /// Says what the operator is in files of a range of MXNets. `difference` says in a few words what
  /// is different. `declare` gets a copy of the record and replaces what is; where the attributes
  /// are a struct Q of their own, it gets a record with the same names and summary and nothing
  /// else, for rules that read a P cannot read a Q. Of ranges that overlap the first one holds.
  template <typename Q = P>
  VariantDeclarer& variant(
      OriginRange files, std::string difference,
      const std::type_identity_t<std::function<void(OpDeclarer<Q>&)>>& declare) {
    auto made = std::make_shared<OpDef>();
    if constexpr (std::is_same_v<P, Q>) {
      *made = def_;
      made->variants.clear();
      OpDeclarer<P> declarer(*made, typename OpDeclarer<P>::AsItIs());
      declare(declarer);
    } else {
      made->names = def_.names;
      made->summary = def_.summary;
      OpDeclarer<Q> declarer(*made);
      declare(declarer);
    }
    made->files = files;
    made->difference = std::move(difference);
    def_.variants.push_back(std::move(made));
    return *this;
  }

 private:
  OpDef& def_;
};

}  // namespace mx2onnx
