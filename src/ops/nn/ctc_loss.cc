// CTCLoss (src/operator/nn/ctc_loss-inl.h, 3rdparty/ctc_include/detail/cpu_ctc.h): the loss of each
// example, a Scan over the steps of all examples at once. WarpCTC, a plug-in
// (plugin/warpctc/warpctc-inl.h), is the softmax of its data along the last axis at inference.
#include <fmt/format.h>

#include <limits>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/body_scope.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr double kMinusInf = -std::numeric_limits<double>::infinity();

struct CtcLossParam {
  enum class Blank { kFirst, kLast };
  bool use_data_lengths = false;
  bool use_label_lengths = false;
  Blank blank_label = Blank::kFirst;

  static void declare(AttrDeclarer<CtcLossParam>& d) {
    d.field("use_data_lengths", &CtcLossParam::use_data_lengths)
        .help("an input says how many steps of each example count");
    d.field("use_label_lengths", &CtcLossParam::use_label_lengths)
        .help("an input says how many labels each example has; else a padding label ends them");
    d.one_of("blank_label", &CtcLossParam::blank_label, {"first", "last"})
        .help("the label that is the blank; padding is 0 or -1");
  }
};

constexpr std::size_t kData = 0;
constexpr std::size_t kLabel = 1;

std::vector<InputDef> ctc_inputs(const CtcLossParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}, {"label", InputRole::kData}};
  if (p.use_data_lengths) inputs.push_back({"data_lengths", InputRole::kData});
  if (p.use_label_lengths) inputs.push_back({"label_lengths", InputRole::kData});
  return inputs;
}

void infer_ctc(const CtcLossParam& p, InferContext& c) {
  // MXNet reads data and its lengths as float32, lengths of labels as it reads labels.
  c.set_input_dtype(kData, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
  if (p.use_data_lengths) c.set_input_dtype(2, DType::kFloat32);
  if (p.use_label_lengths) {
    const std::size_t lengths = c.num_inputs() - 1;
    c.set_input_dtype(lengths, c.input(kLabel).dtype);
    c.set_input_dtype(kLabel, c.input(lengths).dtype);
  }
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    const std::size_t rank = i == kData ? 3 : i == kLabel ? 2 : 1;
    if (c.input_shape(i).known_rank() && c.input_shape(i).rank() != rank)
      c.fail_input(i, fmt::format("{} dimension{}", rank, rank == 1 ? "" : "s"));
  }
  Dim batch;
  for (int round = 0; round < 2; ++round) {
    c.set_input_shape(kData, {Dim(), batch, Dim()});
    if (!batch.known()) batch = c.input_shape(kData)[1];
    c.set_input_shape(kLabel, {batch, Dim()});
    if (!batch.known()) batch = c.input_shape(kLabel)[0];
    for (std::size_t i = 2; i < c.num_inputs(); ++i) {
      c.set_input_shape(i, Shape(std::vector<Dim>{batch}));
      if (!batch.known()) batch = c.input_shape(i)[0];
    }
    c.set_output_shape(0, Shape(std::vector<Dim>{batch}));
    if (!batch.known()) batch = c.output_shape(0)[0];
  }
  const Dim& steps = c.input_shape(kData)[0];
  const Dim& labels = c.input_shape(kLabel)[1];
  if (steps.is_constant() && labels.is_constant() && steps.value() < labels.value()) {
    c.fail_input(kLabel,
                 fmt::format("{} labels at most, one for each step of the data", steps.value()));
  }
}

class CtcTranslation {
 public:
  CtcTranslation(const CtcLossParam& p, Translation& t)
      : p_(p),
        t_(t),
        b_(t.b),
        steps_(t.input_shape(kData)[0]),
        batch_(t.input_shape(kData)[1]),
        alphabet_(t.input_shape(kData)[2]),
        labels_(t.input_shape(kLabel)[1]),
        states_(labels_ * Dim(2) + Dim(1)) {}

  void run() {
    blank_ = p_.blank_label == CtcLossParam::Blank::kFirst
                 ? b_.ints({0})
                 : onnx::size_tensor(b_, alphabet_ - Dim(1));
    Value labels = b_.cast(t_.input(kLabel), DType::kInt64);
    const Value positions = counting(b_, labels_);
    const Value label_lengths = onnx::unsqueeze(b_, count_labels(labels, positions), {1});
    const Value counts = b_.binary("Less", positions, label_lengths);
    labels = b_.where(counts, labels, blank_);
    const Value step_lengths = onnx::unsqueeze(
        b_,
        p_.use_data_lengths ? b_.cast(t_.input(2), DType::kInt64)
                            : onnx::expand(b_, onnx::size_tensor(b_, steps_), Shape{batch_}),
        {1});

    // Each label once more where it follows itself, for a blank has to be between them.
    const Value repeated =
        b_.binary("And", b_.binary("Equal", labels, shifted(labels, 1, -2, labels_)), counts);
    const Value repeats =
        onnx::reduce(b_, "ReduceSum", b_.cast(repeated, DType::kInt64), {1}, true);
    const Value impossible = b_.binary("Greater", b_.add(label_lengths, repeats), step_lengths);

    const Value likelihood =
        final_likelihood(alphas(extended(labels), step_lengths), label_lengths);
    // MXNet says 0 where the labels do not fit into the steps.
    const Value loss =
        b_.where(impossible, b_.scalar(DType::kFloat32, 0), b_.unary("Neg", likelihood));
    t_.set_output(0, onnx::squeeze(b_, loss, {1}));
  }

 private:
  // How many labels each example has, (batch).
  Value count_labels(Value labels, Value positions) {
    const Value most = onnx::size_tensor(b_, labels_);
    if (p_.use_label_lengths) return b_.cast(t_.input(t_.num_inputs() - 1), DType::kInt64);
    const Value padding = b_.ints({p_.blank_label == CtcLossParam::Blank::kFirst ? 0 : -1});
    const Value ends = b_.where(b_.binary("Equal", labels, padding), positions, most);
    return onnx::reduce(b_, "ReduceMin", ends, {1}, false);
  }

  // (batch, size) moved to the right, with a value that fills the places at the left.
  Value shifted(Value x, std::int64_t places, double value, const Dim& size) {
    const Value padded = onnx::pad(b_, x, {0, places}, {0, 0}, "constant", value);
    return onnx::slice(b_, padded, {{1, Dim(0), size}}, b_.shape(x));
  }

  // The labels with blanks before, between and after them, (batch, states).
  Value extended(Value labels) {
    const Value blanks = onnx::expand(b_, blank_, b_.shape(labels));
    const Value pairs =
        b_.concat({onnx::unsqueeze(b_, blanks, {2}), onnx::unsqueeze(b_, labels, {2})}, 2);
    return b_.concat({onnx::reshape(b_, pairs, Shape{batch_, labels_ * Dim(2)}),
                      onnx::expand(b_, blank_, Shape{batch_, Dim(1)})},
                     1);
  }

  // log(exp(x) + exp(y) + …); what is impossible is -inf.
  Value log_sum(const std::vector<Value>& terms) {
    Value most = terms[0];
    for (std::size_t i = 1; i < terms.size(); ++i) most = b_.binary("Max", most, terms[i]);
    const Value base = finite_base(most);
    Value sum;
    for (const Value term : terms) {
      const Value part = b_.unary("Exp", b_.sub(term, base));
      sum = sum.present() ? b_.add(sum, part) : part;
    }
    return b_.add(b_.unary("Log", sum), base);
  }

  Value finite_base(Value most) {
    const Value none = b_.binary("Equal", most, b_.scalar(DType::kFloat32, kMinusInf));
    return b_.where(none, b_.scalar(DType::kFloat32, 0), most);
  }

  // The logarithms of the forward probabilities after the last step of each example.
  Value alphas(Value states, Value step_lengths) {
    const Value probabilities = onnx::softmax(b_, "LogSoftmax", t_.input(kData), 2);
    const Shape all{steps_, batch_, states_};
    const Value indices = onnx::expand(b_, onnx::unsqueeze(b_, states, {0}), all);
    const Value emissions =
        b_.emit("GatherElements", {probabilities, indices}, {{"axis", 2}}, {DType::kFloat32, all});
    const Value active = b_.binary("Less", along_axis(b_, counting(b_, steps_), 0, 3),
                                   onnx::unsqueeze(b_, step_lengths, {0}));
    // From a label to the next one without a blank, if they differ.
    const Value skips =
        b_.unary("Not", b_.binary("Or", b_.binary("Equal", states, blank_),
                                  b_.binary("Equal", states, shifted(states, 2, -2, states_))));
    const Value impossible =
        onnx::fill(b_, DType::kFloat32, kMinusInf, Shape{batch_, labels_ * Dim(2)});
    const Value before =
        b_.concat({onnx::fill(b_, DType::kFloat32, 0, Shape{batch_, Dim(1)}), impossible}, 1);

    BodyScope body(b_);
    const TensorType type{DType::kFloat32, Shape{batch_, states_}};
    const Value alpha = body.add_input("alpha", type);
    const Value emission = body.add_input("emission", type);
    const Value counts = body.add_input("counts", {DType::kBool, Shape{batch_, Dim(1)}});
    const Value skipped = b_.where(skips, shifted(alpha, 2, kMinusInf, states_),
                                   b_.scalar(DType::kFloat32, kMinusInf));
    const Value next =
        b_.add(log_sum({alpha, shifted(alpha, 1, kMinusInf, states_), skipped}), emission);
    const auto finished = body.finish({b_.where(counts, next, alpha)});
    return b_.emit("Scan", {before, emissions, active},
                   {{"body", finished}, {"num_scan_inputs", 2}}, type);
  }

  // Of the last label and the blank after it, (batch, 1).
  Value final_likelihood(Value alpha, Value label_lengths) {
    const Value last = b_.mul(label_lengths, b_.ints({2}));
    const Value distance = b_.sub(last, counting(b_, states_));
    const Value is_last = b_.binary("Or", b_.binary("Equal", distance, b_.ints({0})),
                                    b_.binary("Equal", distance, b_.ints({1})));
    const Value kept = b_.where(is_last, alpha, b_.scalar(DType::kFloat32, kMinusInf));
    const Value base = finite_base(onnx::reduce(b_, "ReduceMax", kept, {1}, true));
    const Value sum = onnx::reduce(b_, "ReduceSum", b_.unary("Exp", b_.sub(kept, base)), {1}, true);
    return b_.add(b_.unary("Log", sum), base);
  }

  const CtcLossParam& p_;
  Translation& t_;
  Builder& b_;
  Dim steps_, batch_, alphabet_, labels_, states_;
  Value blank_;
};

struct WarpCtcParam {
  static void declare(AttrDeclarer<WarpCtcParam>& d) { d.ignore({"label_length", "input_length"}); }
};

void infer_warp_ctc(const WarpCtcParam& /*p*/, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
  if (c.num_inputs() > 1) c.set_input_dtype(1, DType::kInt32);
  if (c.input_shape(0).known_rank() && c.input_shape(0).rank() == 0)
    c.fail_input(0, "an array of one dimension at least");
}

void translate_warp_ctc(const WarpCtcParam& /*p*/, Translation& t) {
  t.set_output(0, onnx::softmax(t.b, "Softmax", t.input(0), -1));
}

}  // namespace

void register_ctc_loss(Registry& r) {
  r.add<CtcLossParam>(
       {"CTCLoss", "ctc_loss", "_contrib_CTCLoss", "_contrib_ctc_loss", "_npx_ctc_loss"})
      .summary("The loss of connectionist temporal classification, of each example.")
      .inputs_by(ctc_inputs)
      .infer(infer_ctc)
      .translate([](const CtcLossParam& p, Translation& t) { CtcTranslation(p, t).run(); })
      .note("The loss is 0 where the labels do not fit into the steps, as in MXNet.");
  r.add<WarpCtcParam>({"WarpCTC"})
      .summary("The loss head of a plug-in of old MXNet: softmax at inference.")
      .inputs({{"data", InputRole::kData}, {"label", InputRole::kLabel}})
      .optional_inputs(1)
      .infer(infer_warp_ctc)
      .translate(translate_warp_ctc);
}

}  // namespace mx2onnx
