// See rnn_scan.h.
#include "ops/nn/rnn_scan.h"

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// (…, columns) by (rows, columns) to (…, rows)
Value product(Builder& b, Value x, Value weights) {
  auto dims = b.shape(x).dims();
  dims.back() = b.shape(weights)[0];
  return b.emit("MatMul", {x, b.transpose(weights, {1, 0})}, {}, {b.dtype(x), Shape(dims)});
}

// What one step makes of the products of its input, with biases, and of the states.
class Step {
 public:
  Step(Builder& b, RnnMode mode, const RnnDirectionWeights& weights, Value of_input, Value state,
       Value cell)
      : b_(b), weights_(weights), of_input_(of_input), state_(state), cell_(cell) {
    of_state_ = b.add(product(b, state, weights.recurrent), weights.recurrent_biases);
    switch (mode) {
      case RnnMode::kLstm:
        lstm();
        break;
      case RnnMode::kGru:
        gru();
        break;
      case RnnMode::kRnnRelu:
        // MXNet's relu gives a float, whatever it computes in (rnn_impl.h).
        state_ = b.cast(b.cast(b.unary("Relu", b.add(of_input_, of_state_)), DType::kFloat32),
                        b.dtype(state));
        break;
      case RnnMode::kRnnTanh:
        state_ = b.unary("Tanh", b.add(of_input_, of_state_));
        break;
    }
  }

  Value next_state() const { return state_; }
  Value next_cell() const { return cell_; }

 private:
  std::vector<Value> gates(Value all, std::size_t count) {
    const Dim rows = b_.shape(weights_.input)[0];
    return onnx::split(
        b_, all, 1, std::vector<Dim>(count, Dim(rows.value() / static_cast<std::int64_t>(count))));
  }

  void lstm() {
    const auto gate = gates(b_.add(of_input_, of_state_), 4);
    const Value kept = b_.mul(b_.unary("Sigmoid", gate[1]), cell_);
    const Value added = b_.mul(b_.unary("Sigmoid", gate[0]), b_.unary("Tanh", gate[2]));
    cell_ = b_.add(kept, added);
    state_ = b_.mul(b_.unary("Sigmoid", gate[3]), b_.unary("Tanh", cell_));
    if (weights_.projection.present()) state_ = product(b_, state_, weights_.projection);
  }

  void gru() {
    const auto input = gates(of_input_, 3);
    const auto recurrent = gates(of_state_, 3);
    const Value reset = b_.unary("Sigmoid", b_.add(input[0], recurrent[0]));
    const Value update = b_.unary("Sigmoid", b_.add(input[1], recurrent[1]));
    const Value made = b_.unary("Tanh", b_.add(input[2], b_.mul(reset, recurrent[2])));
    const Value rest = b_.sub(b_.scalar(b_.dtype(update), 1), update);
    state_ = b_.add(b_.mul(rest, made), b_.mul(update, state_));
  }

  Builder& b_;
  const RnnDirectionWeights& weights_;
  Value of_input_;
  Value of_state_;
  Value state_;
  Value cell_;
};

}  // namespace

RnnDirectionResult scan_direction(Builder& b, RnnMode mode, bool backwards,
                                  const RnnDirectionWeights& weights, Value sequence, Value state,
                                  Value cell) {
  const bool is_lstm = mode == RnnMode::kLstm;
  // Those of all steps at once.
  const Value of_input = b.add(product(b, sequence, weights.input), weights.input_biases);
  const auto& steps = b.shape(of_input);

  BodyScope body(b);
  const Value h = body.add_input("state", b.type(state));
  const Value c = is_lstm ? body.add_input("cell", b.type(cell)) : Value();
  const Value x = body.add_input("step", {b.dtype(sequence), Shape{steps[1], steps[2]}});
  const Step step(b, mode, weights, x, h, c);
  std::vector<Value> results{step.next_state()};
  std::vector<Value> begin{state};
  std::vector<TensorType> types{b.type(state)};
  if (is_lstm) {
    results.push_back(step.next_cell());
    begin.push_back(cell);
    types.push_back(b.type(cell));
  }
  results.push_back(step.next_state());
  begin.push_back(of_input);
  types.push_back({b.dtype(sequence), Shape{steps[0], steps[1], b.shape(state)[1]}});

  onnx::Attributes attrs{{"body", body.finish(results)}, {"num_scan_inputs", 1}};
  if (backwards) {
    attrs.emplace_back("scan_input_directions", onnx::Ints{1});
    attrs.emplace_back("scan_output_directions", onnx::Ints{1});
  }
  const auto found = b.emit_many("Scan", std::move(begin), std::move(attrs), std::move(types));
  return {found[0], is_lstm ? found[1] : Value(), found.back()};
}

}  // namespace mx2onnx
