// The pieces that oneDNN's quantised operators are written out as (mxnet/onednn_upgrade.h). They
// are MXNet's arithmetic, in the form that runtimes make integer kernels of: DequantizeLinear
// before float operators and QuantizeLinear after them. What has no range is computed in whole
// numbers, steps of data times steps of weights, as the result of 32 bits has them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/quantization/onednn_parts.h"
#include "ops/quantization/onednn_weights.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr double kLargestInt = 2147483647;

struct WholeParam {
  bool whole = false;
  template <typename P>
  static void declare_whole(AttrDeclarer<P>& d) {
    d.field("whole", &P::whole).help("in steps, not in what they stand for");
  }
  static void declare(AttrDeclarer<WholeParam>& d) { declare_whole(d); }
};

void infer_dequantize(const WholeParam& /*p*/, InferContext& c) {
  expect_quantized(c, 0);
  infer_same_shape(c);
  infer_range(c, 1);
  c.set_output_dtype(0, DType::kFloat32);
}

void translate_dequantize(const WholeParam& p, Translation& t) {
  Builder& b = t.b;
  const Range range{t.input(1), t.input(2)};
  if (!expect_quantized_form(t) || !expect_finite_range(t, range)) return;
  if (p.whole) return t.set_output(0, dequantize(b, t.input(0), whole_step(b)));
  const Value known = remembered_real(b, {t.input(0), range});
  t.set_output(0, known.present()
                      ? known
                      : dequantize(b, t.input(0), kernel_step(b, t.input_type(0).dtype, range)));
}

struct WeightsParam : WholeParam {
  bool no_bias = false;
  bool with_bn = false;
  double eps = 1e-3;
  bool fix_gamma = true;
  std::int64_t num_group = 1;

  static void declare(AttrDeclarer<WeightsParam>& d) {
    declare_whole(d);
    d.field("no_bias", &WeightsParam::no_bias).help("no bias of the layer");
    d.field("with_bn", &WeightsParam::with_bn).help("BatchNorm goes into the weight");
    d.field("eps", &WeightsParam::eps).help("of BatchNorm");
    d.field("fix_gamma", &WeightsParam::fix_gamma).help("BatchNorm's gamma is 1");
    d.field("num_group", &WeightsParam::num_group).at_least(1).help("groups of channels");
  }
  bool has_bias() const { return with_bn || !no_bias; }
  /// Where the inputs after the weight begin.
  std::size_t norm() const { return no_bias ? 4 : 5; }
};

std::vector<InputDef> weights_inputs(const WeightsParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData},
                               {"data_min", InputRole::kData},
                               {"data_max", InputRole::kData},
                               {"weight", InputRole::kWeight}};
  if (!p.no_bias) inputs.push_back({"bias", InputRole::kWeight});
  if (!p.with_bn) return inputs;
  inputs.push_back({"gamma", InputRole::kWeight});
  inputs.push_back({"beta", InputRole::kWeight});
  inputs.push_back({"moving_mean", InputRole::kAux});
  inputs.push_back({"moving_var", InputRole::kAux});
  return inputs;
}

std::vector<std::string> weights_outputs(const WeightsParam& p, std::size_t /*num_inputs*/) {
  std::vector<std::string> outputs{"output"};
  if (p.has_bias()) outputs.emplace_back("bias");
  if (p.whole) outputs.insert(outputs.end(), {"weight_min", "weight_max"});
  return outputs;
}

void infer_weights(const WeightsParam& p, InferContext& c) {
  expect_quantized(c, 0);
  infer_range(c, 1);
  c.set_output_shape(0, c.input_shape(3));
  c.set_input_shape(3, c.output_shape(0));
  const Shape& weight = c.input_shape(3);
  if (weight.known_rank() && weight.rank() == 0) c.fail_input(3, "1 dimension or more");
  const Shape channels{weight.known_rank() ? weight[0] : Dim()};
  if (channels[0].is_constant() && channels[0].value() % p.num_group != 0)
    c.fail_input(3, fmt::format("a number of channels that {} groups share", p.num_group));
  for (std::size_t i = 3; i < c.num_inputs(); ++i) {
    c.set_input_dtype(i, DType::kFloat32);
    if (i > 3) c.set_input_shape(i, channels);
  }
  c.set_output_dtype(0, DType::kFloat32);
  if (p.has_bias()) {
    c.set_output_dtype(1, DType::kFloat32);
    c.set_output_shape(1, channels);
  }
  if (p.whole) infer_range_outputs(c, c.num_outputs() - 2);
}

// What is stored of an input, of a random parameter, too; null if it is computed.
const Tensor* stored(const Translation& t, std::size_t i) {
  return t.b.graph().constant(t.input(i));
}

// The parameters of the layer; nothing, with a refusal, if one is computed.
std::optional<FloatWeights> float_weights(const WeightsParam& p, Translation& t) {
  for (std::size_t i = 3; i < t.num_inputs(); ++i) {
    if (stored(t, i) != nullptr) continue;
    t.refuse("the weights of a quantised layer are expected to be parameters, and one is computed");
    return std::nullopt;
  }
  FloatWeights weights{*stored(t, 3), p.num_group, {}, std::nullopt};
  if (!p.no_bias) weights.bias = read_doubles(*stored(t, 4));
  if (!p.with_bn) return weights;
  const auto values = [&](std::size_t i) { return read_doubles(*stored(t, p.norm() + i)); };
  weights.norm = NormValues{values(0), values(1), values(2), values(3), p.eps};
  if (p.fix_gamma) std::fill(weights.norm->gamma.begin(), weights.norm->gamma.end(), 1);
  return weights;
}

Value vector_constant(Builder& b, const std::vector<float>& values) {
  return b.constant(make_tensor<float>({static_cast<std::int64_t>(values.size())}, values));
}

// What int32 can be without bounds of its own: oneDNN's reorder saturates.
std::int32_t as_int32(double value) {
  return static_cast<std::int32_t>(
      std::clamp(std::nearbyint(value), -kLargestInt - 1, kLargestInt));
}

// The bias in steps of data times steps of weights, as int32.
Value quantized_bias(Translation& t, const QuantizedWeights& made, Value step, Value steps) {
  Builder& b = t.b;
  const auto known = known_number(b, step);
  const std::size_t count = made.bias.size();
  if (known) {
    std::vector<std::int32_t> whole(count);
    const float data_scale = 1.0F / static_cast<float>(*known);
    for (std::size_t c = 0; c < count; ++c) {
      const float scale = (made.scale.size() == 1 ? made.scale[0] : made.scale[c]) * data_scale;
      whole[c] = as_int32(made.bias[c] * scale);
    }
    return b.constant(make_tensor<std::int32_t>({static_cast<std::int64_t>(count)}, whole));
  }
  const Value whole = b.unary("Round", b.div(vector_constant(b, made.bias), steps));
  constexpr double kMost = 1 << 30;  // which float32 has
  return b.cast(onnx::clip(b, whole, -kMost, kMost), DType::kInt32);
}

std::vector<AttrProblem> check_weights(const WeightsParam& p, const CheckContext& context) {
  constexpr int kScalePerChannel = 13;
  if (p.whole || context.opset >= kScalePerChannel) return {};
  return {{"",
           fmt::format("weights with a scale per channel need opset {}, got {}", kScalePerChannel,
                       context.opset),
           fmt::format("use --opset {}", kScalePerChannel)}};
}

// The form kFloat: with BatchNorm in them, but not quantised.
void keep_float(const WeightsParam& p, Translation& t, const FloatWeights& weights,
                const QuantizedWeights& made) {
  Builder& b = t.b;
  t.set_output(0, p.with_bn ? b.add_parameter(
                                  b.graph().names.unique(b.graph().name_of(t.input(3)) + "_folded"),
                                  folded_weight(weights))
                            : t.input(3));
  if (p.has_bias()) t.set_output(1, vector_constant(b, made.bias));
}

std::vector<float> times(std::vector<float> values, float factor) {
  for (float& value : values) value *= factor;
  return values;
}

void translate_weights(const WeightsParam& p, Translation& t) {
  Builder& b = t.b;
  const Range range{t.input(1), t.input(2)};
  if (!expect_quantized_form(t) || !expect_finite_range(t, range)) return;
  const auto weights = float_weights(p, t);
  if (!weights) return;
  const Value step = kernel_step(b, t.input_type(0).dtype, range);
  const auto known_step = known_number(b, step);
  const QuantizedWeights made = quantize_weights(
      *weights, !p.whole, known_step ? std::optional(1.0F / *known_step) : std::nullopt);
  const bool is_finite = std::all_of(made.scale.begin(), made.scale.end(),
                                     [](float scale) { return std::isfinite(1 / scale); });
  if (!is_finite) return t.refuse("the weights are not finite, and cannot be quantised");
  if (!p.whole && b.quantized_form() == onnx::QuantizedForm::kFloat)
    return keep_float(p, t, *weights, made);
  const std::string name = b.graph().name_of(t.input(3)) + "_quantized";
  const Value weight = b.add_parameter(name, made.weight);
  std::vector<float> weight_steps;
  for (const float scale : made.scale) weight_steps.push_back(1 / scale);
  const Value per_channel = vector_constant(b, weight_steps);
  t.set_output(
      0, p.whole ? dequantize(b, weight, whole_step(b)) : dequantize(b, weight, per_channel, 0));
  if (p.has_bias()) {
    const Value steps = known_step ? vector_constant(b, times(weight_steps, *known_step))
                                   : b.mul(per_channel, step);
    const Value whole = quantized_bias(t, made, step, steps);
    t.set_output(1, p.whole ? b.cast(whole, DType::kFloat32) : dequantize(b, whole, steps, 0));
  }
  if (!p.whole) return;
  t.set_output(t.num_outputs() - 2, vector_constant(b, {made.least}));
  t.set_output(t.num_outputs() - 1, vector_constant(b, {made.most}));
}

void infer_bias(const WholeParam& /*p*/, InferContext& c) {
  expect_quantized(c, 3);
  c.set_input_dtype(0, DType::kInt8);
  for (const std::size_t first : {1U, 4U, 6U}) infer_range(c, first);
  infer_same_shape(c);
  c.set_output_dtype(0, DType::kFloat32);
}

// int8 with a range of its own, as int32 with the steps of data times those of the weight. The
// halves go away from zero here (std::round).
void translate_bias(const WholeParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t)) return;
  for (const std::size_t first : {1U, 4U, 6U}) {
    if (!expect_finite_range(t, {t.input(first), t.input(first + 1)})) return;
  }
  const Value own = kernel_step(b, DType::kInt8, {t.input(1), t.input(2)});
  const Value step = b.mul(kernel_step(b, t.input_type(3).dtype, {t.input(4), t.input(5)}),
                           kernel_step(b, DType::kInt8, {t.input(6), t.input(7)}));
  const Value scaled = b.mul(b.cast(t.input(0), DType::kFloat32), b.div(own, step));
  const Value whole =
      b.mul(b.unary("Floor", b.add(b.unary("Abs", scaled), b.scalar(DType::kFloat32, 0.5))),
            b.unary("Sign", scaled));
  if (p.whole) return t.set_output(0, whole);
  t.set_output(0, dequantize(b, b.cast(whole, DType::kInt32), step));
}

}  // namespace

void register_onednn_inputs(Registry& r) {
  r.add<WholeParam>({"_onednn_dequantize"})
      .summary("Part of oneDNN's quantised operators: int8 or uint8 as what they stand for.")
      .inputs(data_inputs({"data", "data_min", "data_max"}))
      .infer(infer_dequantize)
      .needs("Round")
      .translate(translate_dequantize);
  r.add<WeightsParam>({"_onednn_weights"})
      .summary("Part of oneDNN's quantised operators: weights with BatchNorm in them, as int8.")
      .inputs_by(weights_inputs)
      .outputs_by(weights_outputs)
      .infer(infer_weights)
      .check(check_weights)
      .needs("Round")
      .translate(translate_weights);
  r.add<WholeParam>({"_onednn_bias"})
      .summary("Part of oneDNN's quantised operators: an int8 bias.")
      .inputs(data_inputs({"bias", "bias_min", "bias_max", "data", "data_min", "data_max",
                           "weight_min", "weight_max"}))
      .infer(infer_bias)
      .needs("Round")
      .translate(translate_bias);
}

}  // namespace mx2onnx
