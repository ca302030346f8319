// RNN: layers of LSTM, GRU or plain recurrence over a sequence, which become one LSTM, GRU or RNN
// each (src/operator/rnn-inl.h, rnn_impl.h). An LSTM with projection, which ONNX does not have,
// becomes a Scan.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/rnn_weights.h"
#include "ops/subgraph.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Node;
using onnx::Value;

struct RnnParam {
  enum class Mode { kGru, kLstm, kRnnRelu, kRnnTanh };
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
        // ONNX has no kernels of float64 anywhere that we know.
        dtype_(t.input_type(kData).dtype == DType::kFloat64 ? DType::kFloat32
                                                            : t.input_type(kData).dtype),
        data_shape_(t.input_shape(kData)),
        weights_(t.b, t.input(kParameters), sizes_, data_shape_[2], gate_order(p)) {}

  void run(Translation& t) {
    Value sequence = b_.cast(t.input(kData), dtype_);
    const auto states = per_layer(t.input(kState));
    const auto cells = p_.is_lstm() ? per_layer(t.input(kCell)) : std::vector<Value>();
    std::vector<Value> last_states;
    std::vector<Value> last_cells;
    for (std::int64_t layer = 0; layer < sizes_.num_layers; ++layer) {
      const auto i = static_cast<std::size_t>(layer);
      const Value cell = p_.is_lstm() ? cells[i] : Value();
      const LayerResult result = sizes_.projection_size > 0
                                     ? projected_layer(layer, sequence, states[i], cell)
                                     : native_layer(layer, sequence, states[i], cell);
      sequence = result.sequence;
      last_states.push_back(result.state);
      last_cells.push_back(result.cell);
    }
    const DType out = t.output_type(0).dtype;
    t.set_output(0, b_.cast(sequence, out));
    if (!p_.state_outputs) return;
    t.set_output(1, b_.cast(joined(last_states), out));
    if (p_.is_lstm()) t.set_output(2, b_.cast(joined(last_cells), out));
  }

 private:
  // MXNet's gates: LSTM i, f, c, o; GRU r, z, n. ONNX's: i, o, f, c; z, r, h.
  static std::vector<std::int64_t> gate_order(const RnnParam& p) {
    if (p.projection_size) return {0, 1, 2, 3};
    if (p.is_lstm()) return {0, 3, 1, 2};
    if (p.mode == RnnParam::Mode::kGru) return {1, 0, 2};
    return {0};
  }

  const char* op_type() const {
    if (p_.is_lstm()) return "LSTM";
    return p_.mode == RnnParam::Mode::kGru ? "GRU" : "RNN";
  }

  Value joined(const std::vector<Value>& parts) {
    return parts.size() == 1 ? parts[0] : b_.concat(parts, 0);
  }

  // The begin states of each layer; absent if they are zero.
  std::vector<Value> per_layer(Value states) {
    const auto count = static_cast<std::size_t>(sizes_.num_layers);
    if (is_zero(b_, states) && sizes_.projection_size == 0) return std::vector<Value>(count);
    const Value all = b_.cast(states, dtype_);
    if (count == 1) return {all};
    return onnx::split(b_, all, 0, std::vector<Dim>(count, Dim(sizes_.num_directions)));
  }

  onnx::Attributes attributes() const {
    onnx::Attributes attrs{{"hidden_size", sizes_.state_size}};
    if (sizes_.num_directions == 2) attrs.emplace_back("direction", "bidirectional");
    if (p_.mode == RnnParam::Mode::kGru) attrs.emplace_back("linear_before_reset", 1);
    if (p_.mode == RnnParam::Mode::kRnnRelu) {
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
    for (Value& weight : inputs) weight = b_.cast(weight, dtype_);
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

  LayerResult projected_layer(std::int64_t layer, Value sequence, Value state, Value cell) {
    std::vector<Value> sequences;
    std::vector<Value> states;
    std::vector<Value> cells;
    const auto count = static_cast<std::size_t>(sizes_.num_directions);
    const auto apart = [&](Value all) {
      return count == 1 ? std::vector<Value>{all}
                        : onnx::split(b_, all, 0, std::vector<Dim>(count, Dim(1)));
    };
    const auto first_states = apart(state);
    const auto first_cells = apart(cell);
    for (std::size_t d = 0; d < count; ++d) {
      const auto found =
          scan(layer, static_cast<std::int64_t>(d), sequence,
               onnx::squeeze(b_, first_states[d], {0}), onnx::squeeze(b_, first_cells[d], {0}));
      states.push_back(onnx::unsqueeze(b_, found[0], {0}));
      cells.push_back(onnx::unsqueeze(b_, found[1], {0}));
      sequences.push_back(found[2]);
    }
    return {count == 1 ? sequences[0] : b_.concat(sequences, 2), joined(states), joined(cells)};
  }

  Value product(Value x, Value weights) {
    auto dims = b_.shape(x).dims();
    dims.back() = b_.shape(weights)[0];
    return b_.emit("MatMul", {x, b_.transpose(weights, {1, 0})}, {}, {dtype_, Shape(dims)});
  }

  // The last state and cell, and the sequence, of one direction of an LSTM with projection.
  std::vector<Value> scan(std::int64_t layer, std::int64_t direction, Value sequence, Value state,
                          Value cell) {
    const std::int64_t rows = sizes_.gate_rows();
    const auto matrix = [&](Value weights) {
      return onnx::reshape(b_, b_.cast(weights, dtype_), {Dim(rows), b_.shape(weights)[2]});
    };
    const Value input_weights = matrix(weights_.input_weights(layer, direction, 1));
    const Value recurrent_weights = matrix(weights_.recurrent_weights(layer, direction, 1));
    const Value projection = b_.cast(weights_.projection_weights(layer, direction), dtype_);
    const auto biases = onnx::split(
        b_, onnx::squeeze(b_, b_.cast(weights_.biases(layer, direction, 1), dtype_), {0}), 0,
        {Dim(rows), Dim(rows)});
    const Value of_input = b_.add(b_.add(product(sequence, input_weights), biases[0]), biases[1]);

    BodyScope body(b_);
    const Dim batch = data_shape_[1];
    const Value h = body.add_input("state", b_.type(state));
    const Value c = body.add_input("cell", b_.type(cell));
    const Value x = body.add_input("step", {dtype_, Shape{batch, Dim(rows)}});
    const auto gates = onnx::split(b_, b_.add(x, product(h, recurrent_weights)), 1,
                                   std::vector<Dim>(4, Dim(sizes_.state_size)));
    const Value kept = b_.mul(b_.unary("Sigmoid", gates[1]), c);
    const Value added = b_.mul(b_.unary("Sigmoid", gates[0]), b_.unary("Tanh", gates[2]));
    const Value next_cell = b_.add(kept, added);
    const Value next =
        product(b_.mul(b_.unary("Sigmoid", gates[3]), b_.unary("Tanh", next_cell)), projection);
    const auto finished = body.finish({next, next_cell, next});
    onnx::Attributes attrs{{"body", finished}, {"num_scan_inputs", 1}};
    if (direction == 1) {
      attrs.emplace_back("scan_input_directions", onnx::Ints{1});
      attrs.emplace_back("scan_output_directions", onnx::Ints{1});
    }
    return b_.emit_many("Scan", {state, cell, of_input}, std::move(attrs),
                        {b_.type(state),
                         b_.type(cell),
                         {dtype_, Shape{data_shape_[0], batch, Dim(sizes_.projection_size)}}});
  }

  const RnnParam& p_;
  Builder& b_;
  RnnSizes sizes_;
  DType dtype_;
  Shape data_shape_;
  RnnWeights weights_;
};

void translate_rnn(const RnnParam& p, Translation& t) {
  if (t.input_type(kData).dtype == DType::kFloat64) {
    t.warn("W-cast-for-runtime",
           "computed in float32: ONNX Runtime has no kernel of float64 for LSTM, GRU and RNN");
  }
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
      .note("float64 is computed in float32.")
      .note(
          "Where a number is NaN, or sums become infinite, ONNX Runtime's activation functions "
          "give "
          "finite numbers where MXNet's result is NaN.");
}

}  // namespace mx2onnx
