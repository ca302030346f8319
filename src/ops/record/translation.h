// What a translation sees of one node: the ONNX values of its inputs, the types that inference
// found, and the builder.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ir/tensor_type.h"
#include "onnx/builder.h"

namespace mx2onnx {

class Translation {
 public:
  struct Input {
    onnx::Value value;
    const TensorType* type = nullptr;
    const Tensor* constant = nullptr;
    const std::vector<Dim>* known_value = nullptr;
  };
  struct Output {
    onnx::Value value;
    const TensorType* type = nullptr;
    const std::vector<Dim>* known_value = nullptr;
    bool used = false;
  };

  /// Emits the nodes of the given subgraph.
  using TranslateBody = std::function<std::vector<onnx::Value>(
      std::size_t body, const std::vector<onnx::Value>& inputs)>;

  Translation(onnx::Builder& builder, std::vector<Input> inputs, std::vector<Output> outputs,
              TranslateBody translate_body = {})
      : b(builder),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        translate_body_(std::move(translate_body)) {}

  onnx::Builder& b;

  std::size_t num_inputs() const { return inputs_.size(); }
  std::size_t num_outputs() const { return outputs_.size(); }
  onnx::Value input(std::size_t i) const { return inputs_[i].value; }
  const TensorType& input_type(std::size_t i) const { return *inputs_[i].type; }
  const Shape& input_shape(std::size_t i) const { return inputs_[i].type->shape; }
  std::size_t input_rank(std::size_t i) const { return input_shape(i).rank(); }
  /// The content of an input that is a parameter of the model; null if it is computed.
  const Tensor* input_constant(std::size_t i) const { return inputs_[i].constant; }
  /// The elements of an input that inference knows; null if it does not.
  const std::vector<Dim>* input_value(std::size_t i) const { return inputs_[i].known_value; }
  /// The same of an output.
  const std::vector<Dim>* output_value(std::size_t i) const { return outputs_[i].known_value; }
  const TensorType& output_type(std::size_t i) const { return *outputs_[i].type; }
  const Shape& output_shape(std::size_t i) const { return outputs_[i].type->shape; }
  /// False if nothing uses the output; it then need not be set.
  bool output_used(std::size_t i) const { return outputs_[i].used; }

  /// Emits the nodes of a subgraph of a control-flow operator where the builder stands, for the
  /// given values of its variables, and gives its outputs.
  std::vector<onnx::Value> translate_body(std::size_t body,
                                          const std::vector<onnx::Value>& inputs) const {
    return translate_body_(body, inputs);
  }

  void set_output(std::size_t i, onnx::Value value) { outputs_[i].value = value; }
  onnx::Value output(std::size_t i) const { return outputs_[i].value; }

  /// Says that this node cannot be expressed at the target opset. The translation returns after
  /// this; all refusals of a model come in one message.
  void refuse(std::string reason, std::string hint = {}) {
    refused_ = true;
    reason_ = std::move(reason);
    hint_ = std::move(hint);
  }
  /// Adds a warning to the report; the id is stable, "W-…".
  void warn(std::string id, std::string message) {
    warnings_.emplace_back(std::move(id), std::move(message));
  }
  const std::vector<std::pair<std::string, std::string>>& warnings() const { return warnings_; }

  bool refused() const { return refused_; }
  const std::string& reason() const { return reason_; }
  const std::string& hint() const { return hint_; }

 private:
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  TranslateBody translate_body_;
  bool refused_ = false;
  std::string reason_;
  std::string hint_;
  std::vector<std::pair<std::string, std::string>> warnings_;
};

}  // namespace mx2onnx
