// To uint8 by a scale and a shift (src/operator/quantization/quantize_asym.cc), as it stands before
// the quantised LSTM of MXNet 1.9.1.
#include <cmath>

#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/quantized.h"
#include "ops/quantization/calibrated.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

constexpr float kMost = 255;

struct QuantizeAsymParam : CalibratedParam {
  static void declare(AttrDeclarer<QuantizeAsymParam>& d) { declare_range(d); }
};

std::vector<AttrProblem> check_quantize_asym(const QuantizeAsymParam& p,
                                             const CheckContext& /*context*/) {
  auto problems = check_range(p);
  const bool is_nothing = p.calibrated() && static_cast<float>(*p.min_calib_range) ==
                                                static_cast<float>(*p.max_calib_range);
  if (is_nothing)
    problems.push_back({"max_calib_range", "expected another end than min_calib_range", ""});
  return problems;
}

void infer_quantize_asym(const QuantizeAsymParam& /*p*/, InferContext& c) {
  // MXNet 1.9.1 crashes with any other number of dimensions.
  c.set_input_shape(0, Shape::unknown_dims(3));
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, DType::kUint8);
  infer_range_outputs(c);
}

void translate_quantize_asym(const QuantizeAsymParam& p, Translation& t) {
  Builder& b = t.b;
  const Range range = p.calibrated() ? p.range(b) : range_of_elements(b, t.input(0));
  const Value scale =
      of_numbers(b, "Div", number(b, kMost), of_numbers(b, "Sub", range.max, range.min));
  const Value shift =
      of_numbers(b, "Sub", number(b, kMost), of_numbers(b, "Mul", range.max, scale));
  const Value steps = b.add(b.mul(t.input(0), scale), shift);
  // A runtime may make anything of a NaN, MXNet makes 0 of it.
  const Value is_nan = b.emit("IsNaN", {steps}, {}, {DType::kBool, b.shape(steps)});
  const Value numbers =
      b.emit("Where", {is_nan, number(b, 0), steps}, {}, {DType::kFloat32, b.shape(steps)});
  t.set_output(0, round_to(b, numbers, DType::kUint8));
  t.set_output(1, range_end(b, scale));
  t.set_output(2, range_end(b, shift));
}

}  // namespace

void register_quantize_asym(Registry& r) {
  r.add<QuantizeAsymParam>({"_contrib_quantize_asym"})
      .summary("To uint8, by a calibrated range or that of the elements, whose ends are 0 and 255.")
      .inputs(data_inputs({"data"}))
      .outputs({"output", "scale", "shift"})
      .infer(infer_quantize_asym)
      .translate(translate_quantize_asym)
      .check(check_quantize_asym)
      .note("Of what lies half way between two integers, the other one may come out.")
      .note(
          "Without calibrated ends, where all elements are the same MXNet gives scales that are "
          "not finite, and so does the model.");
}

}  // namespace mx2onnx
