// What computes each integer by itself: sums and products of two arrays, relu, and normalisation
// (src/operator/quantization/quantized_elemwise_add.cc, quantized_elemwise_mul.cc,
// quantized_activation.cc, quantized_batch_norm.cc).
#include <fmt/format.h>

#include <cmath>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/quantized.h"
#include "ops/quantization/calibrated.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::QuantizedForm;
using onnx::Value;

std::vector<InputDef> pair_inputs() {
  return data_inputs({"lhs", "rhs", "lhs_min", "lhs_max", "rhs_min", "rhs_max"});
}

std::pair<Quantized, Quantized> pair_of(const Translation& t) {
  return {{t.input(0), {t.input(2), t.input(3)}}, {t.input(1), {t.input(4), t.input(5)}}};
}

void infer_pair_shapes(InferContext& c) {
  infer_range_inputs(c, 2);
  c.set_input_shape(0, c.output_shape(0));
  c.set_input_shape(1, c.input_shape(0));
  c.set_input_shape(0, c.input_shape(1));
  c.set_output_shape(0, c.input_shape(0));
}

struct AddParam : CalibratedParam {
  static void declare(AttrDeclarer<AddParam>& d) { declare_range(d); }
};

void infer_add(const AddParam& p, InferContext& c) {
  infer_pair_shapes(c);
  infer_range_outputs(c);
  if (!p.calibrated()) return c.set_output_dtype(0, DType::kInt32);
  const DType lhs = c.input(0).dtype;
  const DType rhs = c.input(1).dtype;
  if (lhs == DType::kUnknown || rhs == DType::kUnknown) return;
  c.set_output_dtype(0, lhs == rhs ? lhs : DType::kInt8);
}

// The int32 sums of a pair that is not calibrated: the largest sum that there can be is the
// largest int32.
void translate_int32_add(Translation& t, const Quantized& lhs, const Quantized& rhs) {
  Builder& b = t.b;
  const Value lhs_most = magnitude(b, lhs.range);
  const Value rhs_most = magnitude(b, rhs.range);
  const Value most = of_numbers(b, "Add", lhs_most, rhs_most);
  if (!expect_step(t, most)) return;
  const float half = num_steps(t.input_type(0).dtype, Steps::kHalf);
  // In MXNet's order.
  const auto scale_of = [&](Value own) {
    return of_numbers(b, "Div",
                      of_numbers(b, "Mul", own, number(b, num_steps(DType::kInt32, Steps::kWhole))),
                      of_numbers(b, "Mul", most, number(b, half)));
  };
  const Value sum = b.add(b.mul(b.cast(lhs.data, DType::kFloat32), scale_of(lhs_most)),
                          b.mul(b.cast(rhs.data, DType::kFloat32), scale_of(rhs_most)));
  const Quantized q{round_to(b, sum, DType::kInt32),
                    {range_end(b, negative(b, most)), range_end(b, most)}};
  if (b.quantized_form() != QuantizedForm::kQlinear) {
    set_real(b, q, b.add(real(b, lhs, Steps::kHalf), real(b, rhs, Steps::kHalf)));
  }
  set_outputs(t, q);
}

// uint8 beside int8 is rounded to steps of the result first, as int8.
Value in_steps_of(Builder& b, const Quantized& q, Value step, bool rounded) {
  const Value x = real(b, q, Steps::kHalf);
  const bool is_exact = b.quantized_form() == QuantizedForm::kFloat || !rounded;
  return is_exact ? x : dequantize(b, quantize(b, x, step, DType::kInt8), step);
}

void translate_add(const AddParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t)) return;
  const DType lhs_type = t.input_type(0).dtype;
  const DType rhs_type = t.input_type(1).dtype;
  if (!is_int8_or_uint8(lhs_type) || !is_int8_or_uint8(rhs_type)) {
    return t.refuse(fmt::format("expected int8 or uint8 data, found {} and {}",
                                dtype_name(lhs_type), dtype_name(rhs_type)));
  }
  const auto [lhs, rhs] = pair_of(t);
  const bool is_mixed = lhs_type != rhs_type;
  if (!p.calibrated() && is_mixed) {
    return t.refuse("of int8 and uint8 data without a calibrated range, MXNet loses the uint8 data",
                    "quantise the model with calib_mode naive or entropy");
  }
  if (!p.calibrated()) return translate_int32_add(t, lhs, rhs);
  const DType dtype = is_mixed ? DType::kInt8 : lhs_type;
  const Range range = p.range(b);
  const Value step = step_of(b, range, dtype, Steps::kHalf);
  if (!expect_step(t, step)) return;
  const Value sum = b.add(in_steps_of(b, lhs, step, is_mixed && lhs_type == DType::kUint8),
                          in_steps_of(b, rhs, step, is_mixed && rhs_type == DType::kUint8));
  set_quantized(t, sum, range, dtype, Steps::kHalf);
}

struct MulParam : CalibratedParam {
  bool enable_float_output = false;

  static void declare(AttrDeclarer<MulParam>& d) {
    declare_range(d);
    d.field("enable_float_output", &MulParam::enable_float_output)
        .help("the result is float32, without a range");
  }
};

void infer_mul(const MulParam& p, InferContext& c) {
  infer_pair_shapes(c);
  c.set_input_dtype(0, DType::kInt8);
  c.set_input_dtype(1, DType::kInt8);
  if (p.enable_float_output) return c.set_output_dtype(0, DType::kFloat32);
  infer_range_outputs(c);
  c.set_output_dtype(0, p.calibrated() ? DType::kInt8 : DType::kInt32);
}

Value product(Builder& b, const Quantized& lhs, const Quantized& rhs) {
  return b.mul(b.cast(lhs.data, DType::kInt32), b.cast(rhs.data, DType::kInt32));
}

// The products are exact; MXNet cuts what they are in steps of the result towards zero, and what
// int8 does not hold loses its upper bits.
void translate_mul(const MulParam& p, Translation& t) {
  Builder& b = t.b;
  const auto [lhs, rhs] = pair_of(t);
  const bool in_float = b.quantized_form() == QuantizedForm::kFloat;
  const auto reals = [&] { return b.mul(real(b, lhs, Steps::kHalf), real(b, rhs, Steps::kHalf)); };
  const auto scale_of = [&](const Quantized& q) {
    return of_numbers(b, "Div", number(b, num_steps(DType::kInt8, Steps::kHalf)),
                      magnitude(b, q.range));
  };
  const auto scaled = [&](Value start) {
    const Value scale =
        of_numbers(b, "Div", of_numbers(b, "Div", start, scale_of(lhs)), scale_of(rhs));
    return b.mul(b.cast(product(b, lhs, rhs), DType::kFloat32), scale);
  };
  if (p.enable_float_output) return t.set_output(0, in_float ? reals() : scaled(number(b, 1)));
  Quantized q;
  if (p.calibrated()) {
    const Range range = p.range(b);
    const Value most = magnitude(b, range);
    if (!expect_step(t, most)) return;
    const Value start =
        of_numbers(b, "Div", number(b, num_steps(DType::kInt8, Steps::kHalf)), most);
    q = {b.cast(b.cast(scaled(start), DType::kInt32), DType::kInt8),
         {range_end(b, range.min), range_end(b, range.max)}};
  } else {
    const Value step = of_numbers(b, "Mul", step_of(b, lhs.range, DType::kInt8, Steps::kWhole),
                                  step_of(b, rhs.range, DType::kInt8, Steps::kWhole));
    const Value most =
        of_numbers(b, "Mul", step, number(b, num_steps(DType::kInt32, Steps::kWhole)));
    q = {product(b, lhs, rhs), {range_end(b, negative(b, most)), range_end(b, most)}};
  }
  if (in_float) set_real(b, q, reals());
  set_outputs(t, q);
}

struct ActParam {
  enum class Type { kRelu, kSigmoid, kSoftrelu, kSoftsign, kTanh };
  Type act_type = Type::kRelu;

  static void declare(AttrDeclarer<ActParam>& d) {
    d.one_of("act_type", &ActParam::act_type, {"relu", "sigmoid", "softrelu", "softsign", "tanh"})
        .required()
        .help("MXNet has relu only");
  }
};

std::vector<AttrProblem> check_act(const ActParam& p, const CheckContext& /*context*/) {
  if (p.act_type == ActParam::Type::kRelu) return {};
  return {{"act_type", "expected relu: MXNet has no other activation of integers", ""}};
}

void infer_act(const ActParam& /*p*/, InferContext& c) {
  infer_range_inputs(c, 1);
  infer_range_outputs(c);
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_output_dtype(0, DType::kInt8);
}

void translate_act(const ActParam& /*p*/, Translation& t) {
  if (!expect_quantized_form(t)) return;
  if (t.input_type(0).dtype != DType::kInt8) {
    return t.refuse(fmt::format("expected int8 data, found {}", dtype_name(t.input_type(0).dtype)),
                    "MXNet takes the bytes of uint8 data for int8");
  }
  const Quantized q{t.input(0), {t.input(1), t.input(2)}};
  set_quantized(t, t.b.unary("Relu", real(t.b, q, Steps::kWhole)), q.range, DType::kInt8,
                Steps::kWhole);
}

struct NormParam : CalibratedParam {
  double eps = 1e-3F;
  std::int64_t axis = 1;

  static void declare(AttrDeclarer<NormParam>& d) {
    d.field("eps", &NormParam::eps).at_least(0).help("added to the variance");
    d.field("axis", &NormParam::axis).help("of the channels; MXNet knows 1 only");
    declare_range(d);
    d.ignore({"momentum", "fix_gamma", "use_global_stats", "output_mean_var", "cudnn_off"});
  }
};

std::vector<AttrProblem> check_norm(const NormParam& p, const CheckContext& /*context*/) {
  auto problems = check_range(p);
  if (p.axis != 1) {
    problems.push_back({"axis", fmt::format("expected 1, found {}", p.axis), ""});
  }
  if (!p.calibrated()) {
    problems.push_back({"min_calib_range", "expected a calibrated range, found none",
                        "MXNet normalises integers with one only: quantise the model with "
                        "calib_mode naive or entropy"});
  }
  return problems;
}

void infer_norm(const NormParam& /*p*/, InferContext& c) {
  infer_range_inputs(c, 5);
  infer_range_outputs(c);
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_output_dtype(0, DType::kInt8);
  const Shape& data = c.input_shape(0);
  if (data.known_rank() && data.rank() < 2) c.fail_input(0, "2 dimensions or more");
  for (std::size_t i = 1; i < 5; ++i) {
    c.set_input_dtype(i, DType::kFloat32);
    c.set_input_shape(i, Shape{data.known_rank() ? data[1] : Dim()});
  }
}

// gamma / sqrt(variance + eps).
Value norm_scale(const NormParam& p, Translation& t) {
  Builder& b = t.b;
  const Value deviation = b.unary("Sqrt", b.add(t.input(4), number(b, static_cast<float>(p.eps))));
  return b.div(t.input(1), deviation);
}

// MXNet has oneDNN normalise by a variance of 1, to which eps is added a second time.
Value norm_factor(const NormParam& p, Translation& t) {
  const auto again = static_cast<float>(1 / std::sqrt(1 + p.eps));
  return along_axis(t.b, t.b.mul(norm_scale(p, t), number(t.b, again)), 1, t.input_rank(0));
}

Value norm_shift(const NormParam& p, Translation& t) {
  Builder& b = t.b;
  return along_axis(b, b.sub(t.input(2), b.mul(t.input(3), norm_scale(p, t))), 1, t.input_rank(0));
}

void translate_norm(const NormParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t) || !expect_integers(t)) return;
  const Quantized q{t.input(0), {t.input(5), t.input(6)}};
  const Value step = step_of(b, q.range, DType::kInt8, Steps::kHalf);
  if (!expect_step(t, step)) return;
  const Value x = in_steps_of(b, q, step, t.input_type(0).dtype == DType::kUint8);
  // MXNet looks at gamma whatever fix_gamma says.
  if (b.quantized_form() != QuantizedForm::kFloat) {
    return set_quantized(t, b.add(b.mul(x, norm_factor(p, t)), norm_shift(p, t)), p.range(b),
                         DType::kInt8, Steps::kHalf);
  }
  const Value y =
      onnx::batch_normalization(b, x, t.input(1), t.input(2), t.input(3), t.input(4), p.eps);
  set_quantized(t, y, p.range(b), DType::kInt8, Steps::kHalf);
}

std::vector<InputDef> norm_inputs() {
  return {{"data", InputRole::kData},      {"gamma", InputRole::kWeight},
          {"beta", InputRole::kWeight},    {"moving_mean", InputRole::kAux},
          {"moving_var", InputRole::kAux}, {"min_data", InputRole::kData},
          {"max_data", InputRole::kData}};
}

}  // namespace

void register_quantized_elementwise(Registry& r) {
  r.add<AddParam>({"_contrib_quantized_elemwise_add", "_npx_quantized_elemwise_add"})
      .summary("Adds arrays of integers, each of a range of its own.")
      .inputs(pair_inputs())
      .outputs(kQuantizedOutputs)
      .infer(infer_add)
      .translate(translate_add)
      .check([](const AddParam& p, const CheckContext& /*context*/) { return check_range(p); })
      .note(
          "int8 and uint8 data together with a calibrated range only: else MXNet loses the uint8.");
  r.add<MulParam>({"_contrib_quantized_elemwise_mul", "_npx_quantized_elemwise_mul"})
      .summary("Multiplies arrays of int8, each of a range of its own.")
      .inputs(pair_inputs())
      .outputs_by([](const MulParam& p, std::size_t /*num_inputs*/) {
        return p.enable_float_output ? std::vector<std::string>{"output"} : kQuantizedOutputs;
      })
      .infer(infer_mul)
      .translate(translate_mul)
      .check([](const MulParam& p, const CheckContext& /*context*/) { return check_range(p); })
      .note(
          "As in MXNet, a product beyond the calibrated range is not cut to it but wraps around.");
  r.add<ActParam>({"_contrib_quantized_act", "_npx_quantized_act"})
      .summary("relu of int8.")
      .inputs(with_range("data", "min_data", "max_data"))
      .outputs(kQuantizedOutputs)
      .infer(infer_act)
      .translate(translate_act)
      .check(check_act);
  r.add<NormParam>({"_contrib_quantized_batch_norm"})
      .summary("Batch normalisation of int8 or uint8.")
      .inputs(norm_inputs())
      .outputs(kQuantizedOutputs)
      .infer(infer_norm)
      .translate(translate_norm)
      .check(check_norm)
      .note("fix_gamma is not looked at, as in MXNet.");
}

}  // namespace mx2onnx
