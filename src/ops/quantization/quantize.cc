// To integers of a range and back (src/operator/quantization/quantize*.cc, dequantize.cc,
// requantize.cc). Numbers are those of oneDNN, which computes all of these on a CPU in MXNet 1.9.1
// and 2.0, whatever MXNET_MKLDNN_ENABLED says.
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
using onnx::Value;

enum class OutType { kAuto, kInt8, kUint8 };

struct QuantizeV2Param : CalibratedParam {
  OutType out_type = OutType::kInt8;

  static void declare(AttrDeclarer<QuantizeV2Param>& d) {
    d.one_of("out_type", &QuantizeV2Param::out_type, {"auto", "int8", "uint8"})
        .help("auto: uint8 if the calibrated range has nothing below 0");
    declare_range(d);
  }
  DType dtype() const {
    if (out_type != OutType::kAuto)
      return out_type == OutType::kInt8 ? DType::kInt8 : DType::kUint8;
    return calibrated() && *min_calib_range >= 0 ? DType::kUint8 : DType::kInt8;
  }
};

std::vector<AttrProblem> check_quantize_v2(const QuantizeV2Param& p,
                                           const CheckContext& /*context*/) {
  return check_range(p);
}

void infer_same_shape(InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  infer_range_outputs(c);
}

// int8 is said to be of a range that is as long on both sides.
Range both_sides(Builder& b, const Range& range) {
  const Value most = magnitude(b, range);
  return {negative(b, most), most};
}

void infer_quantize_v2(const QuantizeV2Param& p, InferContext& c) {
  infer_same_shape(c);
  c.set_output_dtype(0, p.dtype());
}

// Integers stay what they are; oneDNN says of them that they are of the whole range.
void keep_integers(const QuantizeV2Param& p, Translation& t) {
  Builder& b = t.b;
  const DType given = t.input_type(0).dtype;
  if (given != p.dtype()) {
    return t.refuse(fmt::format("expected float32 or {} data, found {}", dtype_name(p.dtype()),
                                dtype_name(given)));
  }
  const float most = num_steps(given, Steps::kHalf);
  const Range whole{number(b, given == DType::kInt8 ? -most : 0), number(b, most)};
  const Range range = p.calibrated() ? p.range(b) : whole;
  set_outputs(t, {b.identity(t.input(0)), {range_end(b, range.min), range_end(b, range.max)}});
}

// A weight that the file has as float32 is int8 in the model.
void quantize_weight(Translation& t, const Range& range, Steps steps) {
  Builder& b = t.b;
  const float most = known_number(b, magnitude(b, range)).value();
  const Tensor& weight = *t.input_constant(0);
  const Value data =
      b.add_parameter(fmt::format("{}_data", b.node_name()),
                      quantized_weight(weight, {num_steps(DType::kInt8, steps) / most}));
  const Quantized q{data, {range_end(b, range.min), range_end(b, range.max)}};
  if (b.quantized_form() == onnx::QuantizedForm::kFloat) set_real(b, q, t.input(0));
  set_outputs(t, q);
}

bool is_float_weight(const Translation& t) {
  const Tensor* weight = t.input_constant(0);
  return weight != nullptr && weight->dtype == DType::kFloat32 && weight->data->view();
}

void translate_quantize_v2(const QuantizeV2Param& p, Translation& t) {
  Builder& b = t.b;
  if (t.input_type(0).dtype != DType::kFloat32) return keep_integers(p, t);
  if (!expect_quantized_form(t)) return;
  Range range;
  if (p.calibrated()) {
    range = p.range(b);
  } else if (p.dtype() == DType::kInt8 && is_float_weight(t)) {
    const Value most = number(b, tensor_magnitude(*t.input_constant(0)));
    range = {negative(b, most), most};
  } else {
    range = range_of_elements(b, t.input(0));
  }
  if (p.dtype() == DType::kInt8) range = both_sides(b, range);
  if (!expect_step(t, magnitude(b, range))) return;
  if (p.dtype() == DType::kInt8 && is_float_weight(t)) {
    return quantize_weight(t, range, Steps::kHalf);
  }
  set_quantized(t, t.input(0), range, p.dtype(), Steps::kHalf);
}

struct QuantizeParam {
  enum class Type { kInt8, kUint8 };
  Type out_type = Type::kUint8;

  static void declare(AttrDeclarer<QuantizeParam>& d) {
    d.one_of("out_type", &QuantizeParam::out_type, {"int8", "uint8"}).help("of the result");
  }
  DType dtype() const { return out_type == Type::kInt8 ? DType::kInt8 : DType::kUint8; }
};

void infer_quantize(const QuantizeParam& p, InferContext& c) {
  infer_same_shape(c);
  infer_range_inputs(c, 1);
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, p.dtype());
}

void translate_quantize(const QuantizeParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t)) return;
  Range range{t.input(1), t.input(2)};
  if (p.dtype() == DType::kInt8) range = both_sides(b, range);
  const Value most = magnitude(b, range);
  if (!expect_step(t, most)) return;
  if (p.dtype() == DType::kInt8 && is_float_weight(t) && known_number(b, most)) {
    return quantize_weight(t, range, Steps::kWhole);
  }
  set_quantized(t, t.input(0), range, p.dtype(), Steps::kWhole);
}

struct DequantizeParam {
  enum class Type { kFloat32 };
  Type out_type = Type::kFloat32;

  static void declare(AttrDeclarer<DequantizeParam>& d) {
    d.one_of("out_type", &DequantizeParam::out_type, {"float32"}).help("of the result");
  }
};

void infer_dequantize(const DequantizeParam& /*p*/, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  infer_range_inputs(c, 1);
  c.set_output_dtype(0, DType::kFloat32);
}

void translate_dequantize(const DequantizeParam& /*p*/, Translation& t) {
  if (!expect_quantized_form(t)) return;
  const DType given = t.input_type(0).dtype;
  if (given != DType::kInt8 && given != DType::kUint8) {
    return t.refuse(fmt::format("expected int8 or uint8 data, found {}", dtype_name(given)));
  }
  t.set_output(0, real(t.b, {t.input(0), {t.input(1), t.input(2)}}, Steps::kHalf));
}

void infer_requantize(const QuantizeV2Param& p, InferContext& c) {
  infer_same_shape(c);
  infer_range_inputs(c, 1);
  c.set_input_dtype(0, DType::kInt32);
  c.set_output_dtype(0, p.dtype());
}

void translate_requantize(const QuantizeV2Param& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t)) return;
  const Quantized sums{t.input(0), {t.input(1), t.input(2)}};
  const Value known_real = remembered_real(b, sums);
  const Value step = step_of(b, sums.range, DType::kInt32, Steps::kWhole);
  Value most;
  if (p.calibrated()) {
    most = magnitude(b, p.range(b));
  } else if (known_real.present()) {
    most = magnitude(b, range_of_elements(b, known_real));
  } else {
    const Value numbers = b.cast(sums.data, DType::kFloat32);
    most = of_numbers(b, "Mul", magnitude(b, range_of_elements(b, numbers)), step);
  }
  if (!expect_step(t, most)) return;
  const Range range{p.dtype() == DType::kInt8 ? negative(b, most) : number(b, 0), most};
  if (known_real.present()) {
    return set_quantized(t, known_real, range, p.dtype(), Steps::kWhole);
  }
  // In one multiplication, as oneDNN.
  const Value scale = of_numbers(
      b, "Mul", step, of_numbers(b, "Div", number(b, num_steps(p.dtype(), Steps::kWhole)), most));
  const Value scaled = b.mul(b.cast(sums.data, DType::kFloat32), scale);
  set_outputs(t,
              {round_to(b, scaled, p.dtype()), {range_end(b, range.min), range_end(b, range.max)}});
}

constexpr const char* kNearTieNote =
    "The nearest integer is that of a division by the step; MXNet multiplies by its inverse: of "
    "what "
    "lies half way between two integers, the other one may come out.";

}  // namespace

void register_quantize(Registry& r) {
  r.add<QuantizeV2Param>({"_contrib_quantize_v2", "_npx_contrib_quantize_v2"})
      .summary("To int8 or uint8, by a calibrated range or that of the elements.")
      .outputs(kQuantizedOutputs)
      .infer(infer_quantize_v2)
      .translate(translate_quantize_v2)
      .check(check_quantize_v2)
      .note(kNearTieNote);
  r.add<QuantizeParam>({"_contrib_quantize", "_npx_contrib_quantize"})
      .summary("To int8 or uint8, by a given range.")
      .inputs(with_range("data", "min_range", "max_range"))
      .outputs(kQuantizedOutputs)
      .infer(infer_quantize)
      .translate(translate_quantize)
      .note(kNearTieNote);
  r.add<DequantizeParam>({"_contrib_dequantize"})
      .summary("From int8 or uint8 of a range to float32.")
      .inputs(with_range("data", "min_range", "max_range"))
      .infer(infer_dequantize)
      .translate(translate_dequantize);
  r.add<QuantizeV2Param>({"_contrib_requantize", "_npx_requantize"})
      .summary("From the int32 sums of quantised layers to int8 or uint8.")
      .inputs(with_range("data", "min_range", "max_range"))
      .outputs(kQuantizedOutputs)
      .infer(infer_requantize)
      .translate(translate_requantize)
      .check(check_quantize_v2)
      .note(kNearTieNote);
}

}  // namespace mx2onnx
