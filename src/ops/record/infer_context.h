// What a shape rule sees of one node: the types known so far of its inputs and outputs, and ways to
// add to that knowledge in either direction. Knowledge only grows; a contradiction is an error, or,
// where a free size meets a number, a size that the model fixes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/dim.h"
#include "ir/dim_solve.h"
#include "ir/tensor.h"
#include "ir/tensor_type.h"

namespace mx2onnx {

/// The elements start, start + step, start + 2 step, … of a vector of any length.
struct Progression {
  std::int64_t start = 0;
  std::int64_t step = 1;
};

/// All that inference knows of one output of one node.
struct EntryInfo {
  TensorType type;
  /// The elements, where they are few, integers and known before the model runs (`shape_array`).
  std::optional<std::vector<Dim>> value;
  std::optional<Progression> progression;
  /// Set when a rule adds knowledge; the driver clears it.
  bool changed = false;
};

/// A free size that turned out not to be free, and the node that says so.
struct FixedSize {
  SizeSolution solution;
  std::string node;
};

/// What inference finds of a subgraph for given types of its variables.
struct BodyTypes {
  std::vector<TensorType> inputs;  ///< The given ones, refined.
  std::vector<TensorType> outputs;
};

/// Where the node stands, for names that no other node makes.
struct NodeKey {
  std::string_view path;  ///< Of the model, Model::key.
  std::size_t index = 0;
};

class InferContext {
 public:
  /// Infers a subgraph's types. The inputs are its variables' and, unless left out, its outputs'.
  using InferBody = std::function<BodyTypes(std::size_t body, std::vector<TensorType> inputs)>;

  struct Port {
    EntryInfo* entry = nullptr;
    const std::string* name = nullptr;  ///< "data", "conv0_output": for messages.
    const Tensor* constant = nullptr;   ///< A parameter's content.
  };

  InferContext(std::vector<Port> inputs, std::vector<Port> outputs, bool np_shape, DimArena& arena,
               InferBody infer_body = {}, NodeKey node = {})
      : inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        np_shape_(np_shape),
        arena_(arena),
        infer_body_(std::move(infer_body)),
        node_(node) {}

  std::size_t num_inputs() const { return inputs_.size(); }
  std::size_t num_outputs() const { return outputs_.size(); }
  const TensorType& input(std::size_t i) const { return inputs_[i].entry->type; }
  const TensorType& output(std::size_t i) const { return outputs_[i].entry->type; }
  const Shape& input_shape(std::size_t i) const { return input(i).shape; }
  const Shape& output_shape(std::size_t i) const { return output(i).shape; }
  /// Known elements of an input, if there are any.
  const std::vector<Dim>* input_value(std::size_t i) const;
  /// How the elements of an input follow each other, if that is known.
  const std::optional<Progression>& input_progression(std::size_t i) const {
    return inputs_[i].entry->progression;
  }
  /// The content of an input that is a parameter; null if it is not one.
  const Tensor* input_constant(std::size_t i) const { return inputs_[i].constant; }
  /// NumPy's shape semantics: 0 is a size, and -1 is what is unknown.
  bool np_shape() const { return np_shape_; }
  DimArena& arena() { return arena_; }

  /// Types of a subgraph, from those known of its variables and, after them, of its outputs.
  BodyTypes infer_body(std::size_t body, std::vector<TensorType> inputs) const {
    return infer_body_(body, std::move(inputs));
  }
  /// A free size of its own, for a dimension of an output that depends on data; the same each time
  /// for the same dimension. The translation has to define where it can be read.
  Dim own_size(std::size_t output, std::size_t axis);

  // Adding knowledge. Unknown ranks and dims in the argument add nothing.
  void set_input_shape(std::size_t i, const Shape& shape) { merge(inputs_[i], shape, true); }
  void set_output_shape(std::size_t i, const Shape& shape) { merge(outputs_[i], shape, false); }
  void set_input_dtype(std::size_t i, DType dtype) { merge(inputs_[i], dtype, true); }
  void set_output_dtype(std::size_t i, DType dtype) { merge(outputs_[i], dtype, false); }
  void set_output_value(std::size_t i, std::vector<Dim> value);
  void set_output_progression(std::size_t i, Progression progression) {
    outputs_[i].entry->progression = progression;
  }

  /// One dtype for all the inputs and outputs from the given ones on, whichever of them is known.
  void unify_dtypes(std::size_t first_input = 0, std::size_t first_output = 0);
  /// One shape for all inputs and outputs.
  void unify_shapes();

  /// From here on an element type that contradicts another one is recorded instead of failed with.
  void record_dtype_conflicts() { records_conflicts_ = true; }
  const std::optional<std::string>& dtype_conflict() const { return dtype_conflict_; }
  /// Says that element types contradict each other: fails, or is recorded. The rule then returns.
  void conflict_dtypes(std::string message);

  /// A size that the rule finds fixed, if any.
  const std::optional<FixedSize>& fixed_size() const { return fixed_size_; }

  /// Fails with kModel: "input 'data': expected …, found <its shape>".
  [[noreturn]] void fail_input(std::size_t i, std::string_view expected) const;

  /// The name of an input, for messages.
  const std::string& input_name(std::size_t i) const { return *inputs_[i].name; }

 private:
  static std::string port_text(const Port& port, bool is_input);
  void merge(Port& port, const Shape& shape, bool is_input);
  void merge(Port& port, DType dtype, bool is_input);
  bool merge_dim(Dim& known, const Dim& added);

  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  bool np_shape_;
  DimArena& arena_;
  InferBody infer_body_;
  NodeKey node_;
  std::optional<FixedSize> fixed_size_;
  bool records_conflicts_ = false;
  std::optional<std::string> dtype_conflict_;
};

/// The axis counted from the start; fails with kModel if it is outside [-rank, rank).
std::size_t checked_axis(std::int64_t axis, std::size_t rank, std::string_view attribute = "axis");

}  // namespace mx2onnx
