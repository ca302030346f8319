// RNN: layers of LSTM, GRU or plain recurrence over a sequence, which become one LSTM, GRU or RNN
// each (src/operator/rnn-inl.h, rnn_impl.h). An LSTM with projection, which ONNX does not have, and
// layers in float64, of which no runtime is known to have kernels, become Scans.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/nn/rnn_scan.h"
#include "ops/nn/rnn_weights.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Node;
using onnx::Value;

struct RnnParam {
  using Mode = RnnMode;
  std::int64_t state_size = 1;
  std::int64_t num_layers = 1;
  bool bidirectional = false;
  Mode mode = Mode::kLstm;
  double p = 0;
  bool state_outputs = false;
  std::optional<std::int64_t> projection_size;
  std::optional<double> lstm_state_clip_min;
  std::optional<double> lstm_state_clip_max;
  bool lstm_state_clip_nan = false;
  bool use_sequence_length = false;

  static void declare(AttrDeclarer<RnnParam>& d) {
    d.field("state_size", &RnnParam::state_size)
        .required()
        .at_least(1)
        .at_most(1 << 20)
        .help("size of the state");
    d.field("num_layers", &RnnParam::num_layers)
        .required()
        .at_least(1)
        .at_most(10000)
        .help("layers on top of each other");
    d.field("bidirectional", &RnnParam::bidirectional).help("also from the end to the start");
    d.one_of("mode", &RnnParam::mode, {"gru", "lstm", "rnn_relu", "rnn_tanh"})
        .required()
        .help("kind of recurrence");
    d.field("p", &RnnParam::p)
        .at_least(0)
        .at_most(1)
        .help("dropout between layers, in training only");
    d.field("state_outputs", &RnnParam::state_outputs).help("give the last states too");
    d.field("projection_size", &RnnParam::projection_size)
        .at_least(1)
        .at_most(1 << 20)
        .help("size that an LSTM's output is projected to");
    d.field("lstm_state_clip_min", &RnnParam::lstm_state_clip_min).help("without effect on a CPU");
    d.field("lstm_state_clip_max", &RnnParam::lstm_state_clip_max).help("without effect on a CPU");
    d.field("lstm_state_clip_nan", &RnnParam::lstm_state_clip_nan).help("without effect on a CPU");
    d.field("use_sequence_length", &RnnParam::use_sequence_length)
        .help("an input has lengths; without effect on a CPU");
  }

  bool is_lstm() const { return mode == Mode::kLstm; }
  RnnSizes sizes() const {
    const std::int64_t gates = is_lstm() ? 4 : mode == Mode::kGru ? 3 : 1;
    return {gates, state_size, projection_size.value_or(0), num_layers, bidirectional ? 2 : 1};
  }
};

constexpr std::size_t kData = 0;
constexpr std::size_t kParameters = 1;
constexpr std::size_t kState = 2;
constexpr std::size_t kCell = 3;

std::vector<InputDef> rnn_inputs(const RnnParam& p) {
  std::vector<InputDef> inputs{
      {"data", InputRole::kData}, {"parameters", InputRole::kWeight}, {"state", InputRole::kData}};
  if (p.is_lstm()) inputs.push_back({"state_cell", InputRole::kData});
  if (p.use_sequence_length) inputs.push_back({"sequence_length", InputRole::kData});
  return inputs;
}

std::vector<std::string> rnn_outputs(const RnnParam& p, std::size_t /*num_inputs*/) {
  if (!p.state_outputs) return {"output"};
  if (!p.is_lstm()) return {"output", "state_output"};
  return {"output", "state_output", "statecell_output"};
}

std::vector<AttrProblem> check_rnn(const RnnParam& p, const CheckContext& /*context*/) {
  if (!p.projection_size) return {};
  if (!p.is_lstm()) return {{"projection_size", "only an LSTM has a projection", ""}};
  if (*p.projection_size > p.state_size) {
    return {
        {"projection_size",
         fmt::format("expected state_size, {}, at most, got {}", p.state_size, *p.projection_size),
         ""}};
  }
  return {};
}

void infer_rnn(const RnnParam& p, InferContext& c) {
  const RnnSizes sizes = p.sizes();
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const std::size_t rank = i == kData || i == kState || (i == kCell && p.is_lstm()) ? 3 : 1;
    if (c.input_shape(i).known_rank() && c.input_shape(i).rank() != rank)
      c.fail_input(i, fmt::format("{} dimension{}", rank, rank == 1 ? "" : "s"));
    c.set_input_shape(i, Shape::unknown_dims(rank));
  }
  const std::int64_t layers = sizes.num_layers * sizes.num_directions;
  const auto share = [](InferContext& context, const auto& set) {
    for (int round = 0; round < 2; ++round) set(context);
  };
  share(c, [&](InferContext& context) {
    const Dim length = context.input_shape(kData)[0];
    const Dim batch = context.input_shape(kState)[1].known() ? context.input_shape(kState)[1]
                                                             : context.input_shape(kData)[1];
    const Shape state{Dim(layers), batch, Dim(sizes.recurrent_size())};
    const Shape cell{Dim(layers), batch, Dim(sizes.state_size)};
    context.set_output_shape(0,
                             {length, batch, Dim(sizes.recurrent_size() * sizes.num_directions)});
    context.set_input_shape(kData, {context.output_shape(0)[0], context.output_shape(0)[1], Dim()});
    context.set_input_shape(kState, state);
    if (p.is_lstm()) context.set_input_shape(kCell, cell);
    if (p.use_sequence_length)
      context.set_input_shape(context.num_inputs() - 1, Shape(std::vector<Dim>{batch}));
    if (p.state_outputs) {
      context.set_output_shape(1, state);
      if (p.is_lstm()) context.set_output_shape(2, cell);
    }
  });
  const Dim& features = c.input_shape(kData)[2];
  if (features.known()) {
    c.set_input_shape(kParameters, Shape(std::vector<Dim>{sizes.parameter_count(features)}));
  } else {
    c.set_input_shape(kData, {Dim(), Dim(), sizes.input_size(c.input_shape(kParameters)[0])});
  }
  for (std::size_t i = 1; i < (p.is_lstm() ? 4U : 3U); ++i) {
    c.set_input_dtype(i, c.input(kData).dtype);
    c.set_input_dtype(kData, c.input(i).dtype);
  }
  for (std::size_t i = 0; i < c.num_outputs(); ++i) c.set_output_dtype(i, c.input(kData).dtype);
}

// ONNX's initial states are zero where they are left out.
bool is_zero(const Builder& b, Value value) {
  const auto all_zero = [](const Tensor& tensor) {
    const auto view = tensor.data->view();
    return view && std::all_of(view->begin(), view->end(),
                               [](std::byte byte) { return byte == std::byte{0}; });
  };
  if (const Tensor* constant = b.graph().constant(value)) return all_zero(*constant);
  const Node* node = b.producer(value);
  if (node == nullptr || node->op_type != "ConstantOfShape") return false;
  const auto* attr = node->find("value");
  return attr == nullptr || all_zero(std::get<Tensor>(attr->value));
}

// What comes out of one layer: the sequence (length, batch, features of all directions), and the
// last states (directions, batch, size).
struct LayerResult {
  Value sequence, state, cell;
};

class RnnTranslation {
 public:
  RnnTranslation(const RnnParam& p, Translation& t)
      : p_(p),
        b_(t.b),
        sizes_(p.sizes()),
        dtype_(t.input_type(kData).dtype),
        scans_(p.projection_size || dtype_ == DType::kFloat64),
        data_shape_(t.input_shape(kData)),
        weights_(t.b, t.input(kParameters), sizes_, data_shape_[2], gate_order()) {}

  void run(Translation& t) {
    Value sequence = t.input(kData);
    const auto states = per_layer(t.input(kState));
    const auto cells = p_.is_lstm() ? per_layer(t.input(kCell)) : std::vector<Value>();
    std::vector<Value> last_states;
    std::vector<Value> last_cells;
    for (std::int64_t layer = 0; layer < sizes_.num_layers; ++layer) {
      const auto i = static_cast<std::size_t>(layer);
      const Value cell = p_.is_lstm() ? cells[i] : Value();
      const LayerResult result = scans_ ? scanned_layer(layer, sequence, states[i], cell)
                                        : native_layer(layer, sequence, states[i], cell);
      sequence = result.sequence;
      last_states.push_back(result.state);
      last_cells.push_back(result.cell);
    }
    t.set_output(0, sequence);
    if (!p_.state_outputs) return;
    t.set_output(1, joined(last_states));
    if (p_.is_lstm()) t.set_output(2, joined(last_cells));
  }

 private:
  // MXNet's gates: LSTM i, f, c, o; GRU r, z, n. ONNX's: i, o, f, c; z, r, h.
  std::vector<std::int64_t> gate_order() const {
    if (p_.is_lstm()) return scans_ ? onnx::Ints{0, 1, 2, 3} : onnx::Ints{0, 3, 1, 2};
    if (p_.mode == RnnMode::kGru) return scans_ ? onnx::Ints{0, 1, 2} : onnx::Ints{1, 0, 2};
    return {0};
  }

  const char* op_type() const {
    if (p_.is_lstm()) return "LSTM";
    return p_.mode == RnnMode::kGru ? "GRU" : "RNN";
  }

  Value joined(const std::vector<Value>& parts) {
    return parts.size() == 1 ? parts[0] : b_.concat(parts, 0);
  }

  // The begin states of each layer; absent if they are zero.
  std::vector<Value> per_layer(Value states) {
    const auto count = static_cast<std::size_t>(sizes_.num_layers);
    if (!scans_ && is_zero(b_, states)) return std::vector<Value>(count);
    if (count == 1) return {states};
    return onnx::split(b_, states, 0, std::vector<Dim>(count, Dim(sizes_.num_directions)));
  }

  onnx::Attributes attributes() const {
    onnx::Attributes attrs{{"hidden_size", sizes_.state_size}};
    if (sizes_.num_directions == 2) attrs.emplace_back("direction", "bidirectional");
    if (p_.mode == RnnMode::kGru) attrs.emplace_back("linear_before_reset", 1);
    if (p_.mode == RnnMode::kRnnRelu) {
      attrs.emplace_back(
          "activations",
          std::vector<std::string>(static_cast<std::size_t>(sizes_.num_directions), "Relu"));
    }
    return attrs;
  }

  LayerResult native_layer(std::int64_t layer, Value sequence, Value state, Value cell) {
    const std::int64_t directions = sizes_.num_directions;
    const Dim size(sizes_.state_size);
    const TensorType last{dtype_, Shape{Dim(directions), data_shape_[1], size}};
    std::vector<Value> inputs{sequence, weights_.input_weights(layer, 0, directions),
                              weights_.recurrent_weights(layer, 0, directions),
                              weights_.biases(layer, 0, directions)};
    inputs.insert(inputs.end(), {Value(), state, cell});
    std::vector<TensorType> types{
        {dtype_, Shape{data_shape_[0], Dim(directions), data_shape_[1], size}},
        p_.state_outputs ? last : TensorType(),
        p_.state_outputs && p_.is_lstm() ? last : TensorType()};
    if (!p_.is_lstm()) types.pop_back();
    const auto found = b_.emit_many(op_type(), std::move(inputs), attributes(), std::move(types));
    // (length, directions, batch, size) to (length, batch, directions * size)
    const Value sequences =
        directions == 1
            ? onnx::squeeze(b_, found[0], {1})
            : onnx::reshape(b_, b_.transpose(found[0], {0, 2, 1, 3}),
                            Shape{data_shape_[0], data_shape_[1], Dim(directions) * size});
    return {sequences, found[1], p_.is_lstm() ? found[2] : Value()};
  }

  LayerResult scanned_layer(std::int64_t layer, Value sequence, Value state, Value cell) {
    const auto count = static_cast<std::size_t>(sizes_.num_directions);
    const auto apart = [&](Value all) {
      if (!all.present()) return std::vector<Value>(count);
      auto parts = count == 1 ? std::vector<Value>{all}
                              : onnx::split(b_, all, 0, std::vector<Dim>(count, Dim(1)));
      for (Value& part : parts) part = onnx::squeeze(b_, part, {0});
      return parts;
    };
    const auto first_states = apart(state);
    const auto first_cells = apart(cell);
    std::vector<Value> sequences;
    std::vector<Value> states;
    std::vector<Value> cells;
    for (std::size_t d = 0; d < count; ++d) {
      const auto found =
          scan_direction(b_, p_.mode, d == 1, weights_of(layer, static_cast<std::int64_t>(d)),
                         sequence, first_states[d], first_cells[d]);
      sequences.push_back(found.sequence);
      states.push_back(onnx::unsqueeze(b_, found.state, {0}));
      if (p_.is_lstm()) cells.push_back(onnx::unsqueeze(b_, found.cell, {0}));
    }
    return {count == 1 ? sequences[0] : b_.concat(sequences, 2), joined(states),
            p_.is_lstm() ? joined(cells) : Value()};
  }

  RnnDirectionWeights weights_of(std::int64_t layer, std::int64_t direction) {
    const Dim rows(sizes_.gate_rows());
    const auto matrix = [&](Value weights) {
      return onnx::reshape(b_, weights, {rows, b_.shape(weights)[2]});
    };
    const Value biases = onnx::squeeze(b_, weights_.biases(layer, direction, 1), {0});
    const auto halves = onnx::split(b_, biases, 0, {rows, rows});
    const Value projection =
        sizes_.projection_size > 0 ? weights_.projection_weights(layer, direction) : Value();
    return {matrix(weights_.input_weights(layer, direction, 1)),
            matrix(weights_.recurrent_weights(layer, direction, 1)), projection, halves[0],
            halves[1]};
  }

  const RnnParam& p_;
  Builder& b_;
  RnnSizes sizes_;
  DType dtype_;
  bool scans_;
  Shape data_shape_;
  RnnWeights weights_;
};

void translate_rnn(const RnnParam& p, Translation& t) {
  // oneDNN computes float32 without projection, and looks at neither (SupportMKLDNNRnn of
  // mkldnn_rnn-inl.h); rnn-inl.h, which computes the rest, fails with both.
  const bool is_mxnets_own = t.input_type(kData).dtype != DType::kFloat32 || p.projection_size;
  if (is_mxnets_own && p.use_sequence_length)
    return t.refuse("MXNet has use_sequence_length on a CPU only for float32 without projection");
  if (is_mxnets_own && (p.lstm_state_clip_min || p.lstm_state_clip_max)) {
    return t.refuse(
        "MXNet has lstm_state_clip_min and _max on a CPU only for float32 without projection");
  }
  if (p.use_sequence_length) {
    t.warn("W-backends-differ",
           "sequence_length has no effect, as in MXNet 1.9.1 on a CPU; on a GPU MXNet stops at the "
           "end of each sequence");
  }
  if (p.lstm_state_clip_min || p.lstm_state_clip_max) {
    t.warn("W-backends-differ",
           "the cell state is not clipped, as in MXNet 1.9.1 on a CPU; on a GPU MXNet clips it");
  }
  RnnTranslation(p, t).run(t);
}

}  // namespace

void register_rnn(Registry& r) {
  r.add<RnnParam>({"RNN", "_npx_rnn"})
      .summary("Layers of LSTM, GRU or plain recurrence over a sequence (length, batch, features).")
      .inputs_by(rnn_inputs)
      .outputs_by(rnn_outputs)
      .check(check_rnn)
      .infer(infer_rnn)
      .translate(translate_rnn)
      .note(
          "sequence_length and lstm_state_clip_* have no effect, as in MXNet 1.9.1 on a CPU, which "
          "takes them only for float32 without projection.")
      .note(
          "Where a number is NaN, or sums become infinite, ONNX Runtime's activation functions "
          "give finite numbers where MXNet's result is NaN.");
}

}  // namespace mx2onnx
