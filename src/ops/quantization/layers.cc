// Convolutions and dense layers of integers (src/operator/quantization/quantized_conv.cc,
// quantized_fully_connected.cc), as oneDNN computes them: the sums are int32, exactly, and what one
// of them stands for is the product of the two steps.
#include <fmt/format.h>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/convolution.h"
#include "ops/expressions/dense.h"
#include "ops/expressions/quantized.h"
#include "ops/quantization/calibrated.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::QuantizedForm;
using onnx::Value;

/// The inputs of a layer: data, weight and bias, then the ranges of these.
struct Layer {
  Quantized data;
  Quantized weight;
  Quantized bias;
  bool has_bias = false;
  DType dtype = DType::kInt8;  ///< Of the data.
};

std::vector<InputDef> layer_inputs(bool no_bias) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}, {"weight", InputRole::kWeight}};
  if (!no_bias) inputs.push_back({"bias", InputRole::kWeight});
  inputs.push_back({"min_data", InputRole::kData});
  inputs.push_back({"max_data", InputRole::kData});
  inputs.push_back({"min_weight", InputRole::kWeight});
  inputs.push_back({"max_weight", InputRole::kWeight});
  if (!no_bias) {
    inputs.push_back({"min_bias", InputRole::kWeight});
    inputs.push_back({"max_bias", InputRole::kWeight});
  }
  return inputs;
}

void infer_layer_types(InferContext& c, bool no_bias) {
  const std::size_t arrays = no_bias ? 2 : 3;
  for (std::size_t i = 1; i < arrays; ++i) c.set_input_dtype(i, DType::kInt8);
  infer_range_inputs(c, arrays);
  c.set_output_dtype(0, DType::kInt32);
  infer_range_outputs(c);
}

Layer layer_of(const Translation& t, bool no_bias) {
  const std::size_t arrays = no_bias ? 2 : 3;
  const auto quantized = [&](std::size_t i) {
    return Quantized{t.input(i), {t.input(arrays + 2 * i), t.input(arrays + 2 * i + 1)}};
  };
  Layer layer{quantized(0), quantized(1), {}, !no_bias, t.input_type(0).dtype};
  if (layer.has_bias) layer.bias = quantized(2);
  return layer;
}

/// The steps of a layer's data, weight and sums.
struct LayerSteps {
  Value data;
  Value weight;
  Value sum;
};

// The bias in steps of the sums. MXNet cuts towards zero.
Value bias_of_sums(Builder& b, const Layer& layer, Value rescale) {
  return b.cast(b.mul(b.cast(layer.bias.data, DType::kFloat32), rescale), DType::kInt32);
}

// A constant bias is made now.
Value rescaled_bias(Builder& b, const Layer& layer, Value rescale) {
  const Tensor* bias = b.graph().constant(layer.bias.data);
  const auto known = known_number(b, rescale);
  if (bias == nullptr || !known) return bias_of_sums(b, layer, rescale);
  constexpr float kEnd = 2147483648.0F;
  std::vector<std::int32_t> values;
  for (const double value : read_doubles(*bias)) {
    const float scaled = static_cast<float>(value) * *known;
    // What int32 does not hold is the least number, as processors have it.
    values.push_back(scaled >= -kEnd && scaled < kEnd ? static_cast<std::int32_t>(scaled)
                                                      : INT32_MIN);
  }
  return b.constant(make_tensor<std::int32_t>(bias->dims, values));
}

/// Real numbers of data, weight and bias, the last one absent if there is none.
struct RealInputs {
  Value data;
  Value weight;
  Value bias;
};

RealInputs real_inputs(Builder& b, const Layer& layer, const LayerSteps& steps, Value bias) {
  if (b.quantized_form() == QuantizedForm::kFloat) {
    return {real(b, layer.data, Steps::kHalf), real(b, layer.weight, Steps::kWhole),
            layer.has_bias ? real(b, layer.bias, Steps::kWhole) : Value{}};
  }
  return {dequantize(b, layer.data.data, steps.data),
          dequantize(b, layer.weight.data, steps.weight),
          layer.has_bias ? dequantize(b, bias, steps.sum) : Value{}};
}

// Sets the outputs to the sums, whose range is that of all int32, and remembers what they stand
// for.
void set_sums(Translation& t, Value sums, Value step, Value real_sums) {
  Builder& b = t.b;
  const Value most = of_numbers(b, "Mul", step, number(b, num_steps(DType::kInt32, Steps::kWhole)));
  const Quantized q{sums, {range_end(b, negative(b, most)), range_end(b, most)}};
  if (real_sums.present()) set_real(b, q, real_sums);
  set_outputs(t, q);
}

std::vector<InputDef> quantized_conv_inputs(const ConvParam& p) { return layer_inputs(p.no_bias); }

void infer_quantized_conv(const ConvParam& p, InferContext& c) {
  infer_layer_types(c, p.no_bias);
  infer_conv_shapes(p, c);
}

std::vector<AttrProblem> check_quantized_conv(const ConvParam& p, const CheckContext& /*context*/) {
  auto problems = check_convolution(p);
  if (is_channels_last(p.layout)) {
    problems.push_back({"layout", "expected channels first: MXNet convolves no others", ""});
  }
  return problems;
}

void translate_quantized_conv(const ConvParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t) || !expect_integers(t)) return;
  const Layer layer = layer_of(t, p.no_bias);
  LayerSteps steps;
  // MXNet takes uint8 data for int8 here, too, when it says what the sums stand for.
  steps.data = step_of(b, layer.data.range, DType::kInt8, Steps::kWhole);
  steps.weight = step_of(b, layer.weight.range, DType::kInt8, Steps::kWhole);
  steps.sum = of_numbers(b, "Mul", steps.data, steps.weight);
  if (!expect_step(t, steps.data) || !expect_step(t, steps.weight)) return;
  auto attrs = conv_attributes(p);
  attrs.emplace_back("pads", both_ends(p.pads()));
  Value sums = b.emit("ConvInteger", {layer.data.data, layer.weight.data}, attrs,
                      {DType::kInt32, t.output_shape(0)});
  Value bias;
  if (layer.has_bias) {
    // oneDNN adds the integers of the bias as they are; a GPU, which takes int8 data only, brings
    // them into steps of the sums.
    bias = layer.dtype == DType::kUint8
               ? b.cast(layer.bias.data, DType::kInt32)
               : rescaled_bias(
                     b, layer,
                     of_numbers(b, "Div", step_of(b, layer.bias.range, DType::kInt8, Steps::kWhole),
                                steps.sum));
    sums = b.add(sums, along_axis(b, bias, 1, t.output_shape(0).rank()));
  }
  Value real_sums;
  if (b.quantized_form() != QuantizedForm::kQlinear) {
    const RealInputs x = real_inputs(b, layer, steps, bias);
    std::vector<Value> inputs{x.data, x.weight};
    if (layer.has_bias) inputs.push_back(x.bias);
    real_sums =
        b.emit("Conv", std::move(inputs), std::move(attrs), {DType::kFloat32, t.output_shape(0)});
  }
  if (layer.dtype == DType::kUint8 && b.quantized_form() != QuantizedForm::kFloat) {
    t.warn("W-backends-differ",
           "MXNet's convolution of uint8 data takes the data's range for one of 127 steps, twice "
           "what it is, and adds the integers of the bias without regard to their range; so it is "
           "converted, but with --quantized-form float");
  }
  set_sums(t, sums, steps.sum, real_sums);
}

std::vector<InputDef> quantized_dense_inputs(const FullyConnectedParam& p) {
  return layer_inputs(p.no_bias);
}

void infer_quantized_dense(const FullyConnectedParam& p, InferContext& c) {
  infer_layer_types(c, p.no_bias);
  infer_dense_shapes(p, c);
}

Value real_dense(const FullyConnectedParam& p, Translation& t, const RealInputs& x) {
  Builder& b = t.b;
  const TensorType type{DType::kFloat32, t.output_shape(0)};
  if (p.flatten || t.input_rank(0) == 2) {
    std::vector<Value> inputs{as_matrix(b, x.data), x.weight};
    if (x.bias.present()) inputs.push_back(x.bias);
    return b.emit("Gemm", std::move(inputs), {{"transB", 1}}, type);
  }
  const Value y = b.emit("MatMul", {x.data, b.transpose(x.weight, {1, 0})}, {}, type);
  return x.bias.present() ? b.add(y, x.bias) : y;
}

void translate_quantized_dense(const FullyConnectedParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t) || !expect_integers(t)) return;
  const Layer layer = layer_of(t, p.no_bias);
  LayerSteps steps;
  steps.data = step_of(b, layer.data.range, layer.dtype, Steps::kWhole);
  steps.weight = step_of(b, layer.weight.range, DType::kInt8, Steps::kWhole);
  // With uint8 data MXNet divides the data's magnitude by 127 and the weight's by 255.
  const DType other = layer.dtype == DType::kInt8 ? DType::kInt8 : DType::kUint8;
  steps.sum = of_numbers(b, "Mul", step_of(b, layer.data.range, DType::kInt8, Steps::kWhole),
                         step_of(b, layer.weight.range, other, Steps::kWhole));
  if (!expect_step(t, steps.data) || !expect_step(t, steps.weight)) return;
  const bool as_rows = p.flatten || t.input_rank(0) == 2;
  const Value rows = as_rows ? as_matrix(b, layer.data.data) : layer.data.data;
  Value sums = b.emit("MatMulInteger", {rows, b.transpose(layer.weight.data, {1, 0})}, {},
                      {DType::kInt32, t.output_shape(0)});
  Value bias;
  if (layer.has_bias) {
    const Value data_scale = of_numbers(b, "Div", number(b, num_steps(layer.dtype, Steps::kHalf)),
                                        magnitude(b, layer.data.range));
    const Value weight_scale =
        of_numbers(b, "Div", number(b, num_steps(DType::kInt8, Steps::kHalf)),
                   magnitude(b, layer.weight.range));
    const Value scale = of_numbers(b, "Mul", of_numbers(b, "Mul", data_scale, weight_scale),
                                   magnitude(b, layer.bias.range));
    bias = rescaled_bias(
        b, layer, of_numbers(b, "Div", scale, number(b, num_steps(DType::kInt8, Steps::kHalf))));
    sums = b.add(sums, bias);
  }
  Value real_sums;
  if (b.quantized_form() != QuantizedForm::kQlinear) {
    real_sums = real_dense(p, t, real_inputs(b, layer, steps, bias));
  }
  set_sums(t, sums, steps.sum, real_sums);
}

constexpr const char* kSumsNote =
    "The int32 sums are exact where they are an output of the model; between layers, sums are "
    "those "
    "of float32.";

}  // namespace

void register_quantized_layers(Registry& r) {
  r.add<ConvParam>({"_contrib_quantized_conv", "_npx_quantized_conv"})
      .summary("Convolution of int8 or uint8 data with an int8 weight.")
      .inputs_by(quantized_conv_inputs)
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_conv)
      .translate(translate_quantized_conv)
      .check(check_quantized_conv)
      .note(kSumsNote)
      .note(
          "MXNet runs it on a CPU with uint8 data only, and then takes the data's range for one of "
          "127 steps and the bias for one of the sums; on a GPU with int8 data only.");
  r.add<FullyConnectedParam>(
       {"_contrib_quantized_fully_connected", "_npx_quantized_fully_connected"})
      .summary("A dense layer of int8 or uint8 data with an int8 weight.")
      .inputs_by(quantized_dense_inputs)
      .outputs(kQuantizedOutputs)
      .infer(infer_quantized_dense)
      .translate(translate_quantized_dense)
      .note(kSumsNote);
}

}  // namespace mx2onnx
