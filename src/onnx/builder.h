// Builds the ONNX graph while the MXNet nodes are translated, one after the other. The builder
// knows the target opset and refuses, at once and in the name of the MXNet node, what its schema
// does not allow. Whatever is spelled differently in different opsets is not here but in opset.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "onnx/graph.h"
#include "onnx/schema.h"

namespace mx2onnx::onnx {

/// A computation for which ONNX Runtime has no kernel, made in another type.
struct RuntimeCast {
  std::string op_type;
  DType from;
  DType through;
};

/// How arrays of integers that stand for a range of real numbers are computed with.
enum class QuantizedForm {
  kQdq,      ///< By operators on float32 between DequantizeLinear and QuantizeLinear.
  kQlinear,  ///< By operators on the integers, QLinearConv and QLinearMatMul.
  kFloat,    ///< By operators on float32 alone: nothing is rounded.
};

class Builder {
 public:
  Builder(Graph& graph, int opset) : graph_(graph), opset_(opset), bodies_{&graph.main} {
    caches_.emplace_back();
    symbols_.emplace_back();
  }

  int opset() const { return opset_; }
  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }
  const TensorType& type(Value value) const { return graph_.type(value); }
  const Shape& shape(Value value) const { return graph_.type(value).shape; }
  DType dtype(Value value) const { return graph_.type(value).dtype; }

  /// True if the target opset has the operator.
  bool has(std::string_view op_type) const { return find_schema(op_type, opset_) != nullptr; }
  /// True if its version there takes the dtype as input `index`.
  bool takes(std::string_view op_type, DType dtype, std::size_t index = 0) const;

  QuantizedForm quantized_form() const { return quantized_form_; }
  void set_quantized_form(QuantizedForm form) { quantized_form_ = form; }

  /// Keeps a name from being made up for anything else; `claim` then uses it.
  void reserve_name(std::string_view name);

  Value add_input(std::string_view name, TensorType type);
  /// A weight under its own name; the same tensor twice is two values.
  Value add_parameter(std::string_view name, Tensor tensor);

  /// From here on, names are made from this MXNet node's name.
  void begin_node(std::string_view name);
  std::string_view node_name() const { return scope_; }

  /// The node that makes a value, in this body or one around it; null for inputs and constants.
  /// Valid until the next node.
  const Node* producer(Value value) const;

  /// Since the last call, without repetitions.
  std::vector<RuntimeCast> take_runtime_casts();

  /// Emits a node with one output of the given type. Where ONNX Runtime has no kernel for the
  /// element type, the node computes in another one, between casts.
  Value emit(std::string_view op_type, std::vector<Value> inputs, Attributes attrs,
             TensorType type);
  /// Emits a node with several outputs; a type of unknown dtype leaves that output out.
  std::vector<Value> emit_many(std::string_view op_type, std::vector<Value> inputs,
                               Attributes attrs, std::vector<TensorType> types);

  /// As emit_many, for an operator of another domain, of which nothing is known.
  std::vector<Value> emit_custom(std::string_view domain, std::string_view op_type,
                                 std::vector<Value> inputs, Attributes attrs,
                                 std::vector<TensorType> types);

  /// What a node that breaks its schema is taken for: a slip in here, unless the user emits it.
  void set_blame(ErrorCode code) { blame_ = code; }

  // Constants. Small ones are shared: the same content is the same value.
  Value constant(Tensor tensor);
  Value ints(const std::vector<std::int64_t>& values);
  Value int_scalar(std::int64_t value);
  Value scalar(DType dtype, double value);

  // Operators that are spelled alike in all opsets, with the type of the result worked out.
  Value identity(Value x);
  Value unary(std::string_view op_type, Value x);
  /// Element-wise with ONNX's broadcasting; comparisons give bool.
  Value binary(std::string_view op_type, Value a, Value b);
  Value where(Value condition, Value a, Value b);
  /// Nothing if the value has the dtype already.
  Value cast(Value x, DType dtype);
  /// Nothing if the permutation is the identity.
  Value transpose(Value x, const std::vector<std::int64_t>& perm);
  Value concat(const std::vector<Value>& parts, std::int64_t axis);
  Value gather(Value x, Value indices, std::int64_t axis);

  Value add(Value a, Value b) { return binary("Add", a, b); }
  Value sub(Value a, Value b) { return binary("Sub", a, b); }
  Value mul(Value a, Value b) { return binary("Mul", a, b); }
  Value div(Value a, Value b) { return binary("Div", a, b); }

  /// Gives a value the name of an MXNet output. A value that is a graph input, a constant, or
  /// another MXNet output already gets an Identity with that name instead.
  Value name_output(Value value, std::string_view name);

  /// Where the size with this symbol can be read at run time, in this body and those within it. The
  /// first definition of a body stands; one of an inner body hides those around it.
  void define_symbol(std::string_view symbol, Value value, std::size_t axis);
  /// The definition; null if the symbol has none.
  const std::pair<Value, std::size_t>* symbol_source(std::string_view symbol) const;

  /// Memory of values that were emitted for a key (a size, a small constant) and may be used again
  /// in this body. A branch or loop body sees those of the bodies around it.
  Value find_cached(const std::string& key) const;
  void remember(const std::string& key, Value value);

  void begin_body(Body& body);
  void end_body();
  /// As begin_body with the body that nodes go into already: definitions of symbols, and what is
  /// remembered, last until end_body.
  void begin_scope() { begin_body(*bodies_.back()); }

 private:
  std::vector<Value> append(Node node, std::vector<Value> inputs, Attributes attrs,
                            std::vector<TensorType> types);
  std::vector<Value> emit_through(DType through, std::string_view op_type,
                                  std::vector<Value> inputs, Attributes attrs,
                                  std::vector<TensorType> types);
  void must(bool condition, const std::string& message) const;
  void check(const Node& node) const;
  void check_inputs(const Node& node, const OpSchema& schema) const;
  std::string output_name(std::string_view op_type);

  Graph& graph_;
  int opset_;
  QuantizedForm quantized_form_ = QuantizedForm::kQdq;
  ErrorCode blame_ = ErrorCode::kInternal;
  std::vector<RuntimeCast> runtime_casts_;
  std::vector<Body*> bodies_;
  std::string scope_;
  Names node_names_;
  std::unordered_map<std::string, bool> reserved_;  // name -> claimed already
  // Of each body, the outermost first.
  std::vector<std::map<std::string, std::pair<Value, std::size_t>, std::less<>>> symbols_;
  std::vector<std::map<std::string, Value>> caches_;
  std::vector<bool> has_final_name_;  // by value id
  // By value id: the body and the place in it of the node that makes the value.
  std::vector<std::pair<const Body*, std::size_t>> producers_;
};

/// The shape that ONNX's broadcasting gives. A symbolic size against a number other than 1 is taken
/// to be that number; of two symbolic sizes the larger is taken, for they are equal or one of them
/// is 1.
Shape broadcast(const Shape& a, const Shape& b);

}  // namespace mx2onnx::onnx
