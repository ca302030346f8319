// The parameter vector of MXNet's RNN operator, taken apart into the weights that ONNX's LSTM, GRU
// and RNN want. The vector has, for each layer and direction, the weights of the input, of the
// recurrent value and of the projection; then, for each layer and direction, the two biases
// (src/operator/rnn-inl.h, GetRnnParamSize; rnn_impl.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "onnx/builder.h"

namespace mx2onnx {

/// The sizes of an RNN operator.
struct RnnSizes {
  std::int64_t gates = 1;
  std::int64_t state_size = 0;
  std::int64_t projection_size = 0;  ///< 0 without projection.
  std::int64_t num_layers = 1;
  std::int64_t num_directions = 1;

  /// Elements of what goes from step to step, and of one direction's output.
  std::int64_t recurrent_size() const { return projection_size > 0 ? projection_size : state_size; }
  std::int64_t gate_rows() const { return gates * state_size; }
  /// Elements of the vector for data with so many features.
  Dim parameter_count(const Dim& input_size) const;
  /// The features of data that a vector of so many elements fits; unknown if it fits none.
  Dim input_size(const Dim& parameter_count) const;
};

/// Emits the weights. Where the vector is joined from parameters of the model they are made of
/// these without a copy, and otherwise cut from the vector at run time.
class RnnWeights {
 public:
  /// `gate_order[k]` is the place in MXNet's order of the gate that comes k-th in the result.
  RnnWeights(onnx::Builder& b, onnx::Value parameters, const RnnSizes& sizes, const Dim& input_size,
             std::vector<std::int64_t> gate_order);

  // Of one layer and of the directions [first, first + count): shape (count, rows, columns).
  onnx::Value input_weights(std::int64_t layer, std::int64_t first, std::int64_t count);
  onnx::Value recurrent_weights(std::int64_t layer, std::int64_t first, std::int64_t count);
  onnx::Value projection_weights(std::int64_t layer, std::int64_t direction);
  /// Input's and recurrent value's biases one after the other: (count, 2 * gate_rows).
  onnx::Value biases(std::int64_t layer, std::int64_t first, std::int64_t count);

 private:
  struct Range {
    Dim offset;
    Dim count;
  };
  Dim layer_input(std::int64_t layer) const;
  /// Where the weights of a layer and direction start.
  Dim offset_of(std::int64_t layer, std::int64_t direction) const;
  void add_gates(std::vector<Range>& ranges, const Dim& offset, const Dim& gate_count) const;
  onnx::Value join(const std::vector<Range>& ranges, const Shape& shape);
  std::optional<Tensor> join_constants(const std::vector<Range>& ranges, const Shape& shape) const;

  onnx::Builder& b_;
  onnx::Value parameters_;
  RnnSizes sizes_;
  Dim input_size_;
  std::vector<std::int64_t> gate_order_;
  /// What the vector is joined from; empty if it is made at run time.
  std::vector<Tensor> parts_;
};

}  // namespace mx2onnx
