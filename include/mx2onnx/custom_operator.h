// Operators of the user's own: a shape rule and a translation for `Custom` with one op_type, or for
// an operator that MXNet's registry does not have, or has and this library does not translate.
//
//   auto scale = std::make_shared<mx2onnx::CustomOperator>();
//   scale->name = "Custom:scale";
//   scale->infer = [](const mx2onnx::CustomNode& node) {
//     return std::vector<mx2onnx::CustomType>{node.inputs[0]};
//   };
//   scale->translate = [](const mx2onnx::CustomNode& node, mx2onnx::OnnxEmitter& onnx) {
//     const auto factor = onnx.constant("float32", {}, {std::stod(node.attributes.at("factor"))});
//     onnx.set_output(0, onnx.emit("Mul", {onnx.input(0), factor}));
//   };
//   options.operators.push_back(scale);
//
// Both are called while a conversion runs, in the thread that asked for it. What they throw comes
// out of the conversion as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mx2onnx/export.h"

namespace mx2onnx {

/// Sizes as text: numbers, names of free sizes, expressions of these with + - * // (floor
/// division), min(a, b), max(a, b) and parentheses, or "?" for a size that is not known.
using CustomShape = std::vector<std::string>;

/// Element type and shape of an array, as far as they are known.
struct CustomType {
  std::string dtype;                 ///< NumPy's name; empty if it is not known.
  std::optional<CustomShape> shape;  ///< Nothing if not even the number of dimensions is known.
};

/// A node of the MXNet model.
struct CustomNode {
  std::string name;
  std::string op;  ///< "Custom:scale", or the operator's name.
  /// As the file has them, without those that speak of training (`__lr_mult__`).
  std::map<std::string, std::string> attributes;
  std::vector<CustomType> inputs;
  /// What is known already of the outputs, from the nodes that use them.
  std::vector<CustomType> outputs;
  int opset = 0;  ///< The target's.
};

/// A value of the ONNX graph, which only the emitter that gave it takes. A default one stands for
/// an optional input that is absent.
struct OnnxValue {
  static constexpr std::uint32_t kAbsent = 0xffffffff;
  std::uint32_t id = kAbsent;
  std::uint64_t emitter = 0;  ///< No two emitters of a process have the same number.
};

using OnnxAttribute = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>,
                                   std::vector<double>, std::vector<std::string>>;

/// Emits the ONNX nodes of one MXNet node. Each node is checked at once against the schema of the
/// target opset.
class MX2ONNX_EXPORT OnnxEmitter {
 public:
  OnnxEmitter() = default;
  OnnxEmitter(const OnnxEmitter&) = delete;
  OnnxEmitter& operator=(const OnnxEmitter&) = delete;
  virtual ~OnnxEmitter() = default;

  /// True if the target opset has the operator.
  virtual bool has(const std::string& op_type) const = 0;
  /// The ONNX value of an input of the MXNet node.
  virtual OnnxValue input(std::size_t index) const = 0;
  /// An array of numbers: one for each element, or one for all of them.
  virtual OnnxValue constant(const std::string& dtype, const std::vector<std::int64_t>& shape,
                             const std::vector<double>& numbers) = 0;
  /// A shape as an int64 array, for Reshape, Expand and the like: a constant if all sizes are
  /// numbers, else computed in the graph.
  virtual OnnxValue shape(const CustomShape& sizes) = 0;
  /// A node with several outputs. An element type that is left empty is that of the first input,
  /// and a shape that is left out is not known. In a domain other than ONNX's own nothing is
  /// checked.
  virtual std::vector<OnnxValue> emit_many(
      const std::string& op_type, const std::vector<OnnxValue>& inputs,
      const std::vector<std::pair<std::string, OnnxAttribute>>& attributes,
      const std::vector<CustomType>& outputs, const std::string& domain) = 0;
  /// A node with one output.
  OnnxValue emit(const std::string& op_type, const std::vector<OnnxValue>& inputs,
                 const std::vector<std::pair<std::string, OnnxAttribute>>& attributes = {},
                 const CustomType& output = {}, const std::string& domain = "") {
    return emit_many(op_type, inputs, attributes, {output}, domain).front();
  }
  /// Says what an output of the MXNet node is. Each output that is used needs a value.
  virtual void set_output(std::size_t index, OnnxValue value) = 0;
  /// Says that this node cannot be expressed; the translation returns after this. All refusals of a
  /// model come in one message.
  virtual void refuse(const std::string& reason, const std::string& hint) = 0;
  /// Adds a warning with the id "W-custom-operator" to the report.
  virtual void warn(const std::string& message) = 0;
};

struct CustomInput {
  std::string name;
  /// A weight: missing, and no input of the model, if no parameter file has it.
  bool is_parameter = false;
};

/// What the library has to know of an operator.
struct CustomOperator {
  /// "Custom:OP_TYPE" for a Python operator, else the operator's name. Takes the place of a
  /// translation that the library has under this name.
  std::string name;
  /// Empty for any number of inputs.
  std::vector<CustomInput> inputs;
  std::vector<std::string> outputs = {"output"};
  /// The types of the outputs, one each, for what is known of the inputs; called again when more is
  /// known. An empty function: each output has the type of the first input.
  std::function<std::vector<CustomType>(const CustomNode&)> infer;
  std::function<void(const CustomNode&, OnnxEmitter&)> translate;
};

}  // namespace mx2onnx
