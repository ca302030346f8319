// The pieces of oneDNN's quantised operators that make their results (mxnet/onednn_upgrade.h):
// sums, and the range that the result has or is given.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/opset.h"
#include "ops/quantization/onednn_parts.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// Of oneDNN's int32 results. MXNet takes 127 and 255 steps here, not 127.5 and 255.5.
constexpr double kLargestInt = 2147483647;

struct RangeParam {
  enum class OutType { kInt8, kUint8 };
  std::optional<double> min_calib_range;
  std::optional<double> max_calib_range;
  OutType out_type = OutType::kInt8;

  template <typename P>
  static void declare_range(AttrDeclarer<P>& d) {
    d.field("min_calib_range", &P::min_calib_range).help("of the result");
    d.field("max_calib_range", &P::max_calib_range).help("of the result");
    d.one_of("out_type", &P::out_type, {"int8", "uint8"}).help("of the result");
  }
  static void declare(AttrDeclarer<RangeParam>& d) { declare_range(d); }

  DType dtype() const { return out_type == OutType::kInt8 ? DType::kInt8 : DType::kUint8; }
  double least() const { return min_calib_range.value_or(0); }
  double most() const { return max_calib_range.value_or(0); }
  Range range(Builder& b) const {
    return {range_end(b, number(b, static_cast<float>(least()))),
            range_end(b, number(b, static_cast<float>(most())))};
  }
  float step() const { return kernel_step(dtype(), least(), most()); }
};

struct QuantizeParam : RangeParam {
  bool in_steps = false;
  bool with_sum = false;
  static void declare(AttrDeclarer<QuantizeParam>& d) {
    declare_range(d);
    d.field("in_steps", &QuantizeParam::in_steps).help("data counts steps already");
    d.field("with_sum", &QuantizeParam::with_sum).help("the second input was added");
  }
};

void infer_quantize(const QuantizeParam& p, InferContext& c) {
  infer_same_shape(c);
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, p.dtype());
  infer_range_outputs(c, 1);
}

// The type that the kernel saturates to: MXNet has it write over what is added, and takes the bytes
// for the result's, whatever the type of these.
DType written_type(DType out, DType sum) { return sum == DType::kUnknown ? out : sum; }

// Bytes of uint8 as int8.
Value as_signed(Builder& b, Value x) {
  const Value wide = b.cast(x, DType::kInt32);
  const Value is_negative = b.binary("Greater", wide, b.scalar(DType::kInt32, 127));
  return b.cast(b.where(is_negative, b.sub(wide, b.scalar(DType::kInt32, 256)), wide),
                DType::kInt8);
}

void translate_quantize(const QuantizeParam& p, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t)) return;
  const Value step = number(b, p.in_steps ? 1 : p.step());
  const DType written =
      written_type(p.dtype(), p.with_sum ? t.input_type(1).dtype : DType::kUnknown);
  Quantized q{{}, p.range(b)};
  if (written == p.dtype()) {
    q.data = quantize(b, t.input(0), step, p.dtype());
  } else if (written == DType::kUint8) {
    q.data = as_signed(b, quantize(b, t.input(0), step, written));
  } else {
    // A result of uint8 is not negative, and the last int8 is half of it.
    q.data = onnx::clip(b, quantize(b, t.input(0), step, p.dtype()), 0, 127);
  }
  if (b.quantized_form() == onnx::QuantizedForm::kFloat) {
    const Value real = p.in_steps ? b.mul(t.input(0), number(b, p.step())) : t.input(0);
    set_real(b, q, real);
  }
  set_outputs(t, q);
}

template <typename P>
void infer_element_wise(const P& /*p*/, InferContext& c) {
  infer_same_shape(c);
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
}

void translate_steps(const RangeParam& p, Translation& t) {
  t.set_output(0, t.b.div(t.input(0), t.b.scalar(DType::kFloat32, p.step())));
}

template <typename P>
void infer_sum(const P& p, InferContext& c) {
  expect_quantized(c, 1);
  c.set_input_shape(1, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(1));
  infer_element_wise(p, c);
  for (std::size_t i = 2; i < c.num_inputs(); i += i == 2 ? 3 : 2) infer_range(c, i);
}

// MXNet adds before it rounds. No runtime has a convolution that adds int8 numbers, so the
// convolution's result is rounded by itself: to the 256 levels between what, with the least that is
// added, is the end of the result's range, and the same at the other end, so that nothing is cut
// that the sum does not cut, too.
Value rounded_alone(const RangeParam& p, Translation& t, double sum_step) {
  Builder& b = t.b;
  const DType sum = t.input_type(1).dtype;
  const auto [sum_least, sum_most] = integer_range(sum);
  auto [least, most] = integer_range(written_type(p.dtype(), sum));
  if (p.dtype() == DType::kUint8) least = 0;
  const double step = p.step();
  const double low = std::min(0.0, least * step - sum_most * sum_step);
  const double high = std::max(0.0, most * step - sum_least * sum_step);
  // One level less, for 0 has to be one.
  constexpr int kLevels = 254;
  const double own = (high - low) / kLevels;
  const bool is_signed = sum == DType::kInt8 && p.dtype() == DType::kInt8;
  const DType dtype = is_signed ? DType::kInt8 : DType::kUint8;
  const int zero_point = static_cast<int>(std::lround(-low / own)) - (is_signed ? 128 : 0);
  // Half of a level, and what the result's own rounding makes of it.
  t.warn(
      "W-sum-rounded",
      fmt::format("the layer is rounded before the sum, which MXNet does not do: up to {} of the "
                  "256 levels of the result are between the two",
                  static_cast<int>(std::lround(own / step / 2)) + 1));
  const Value scale = number(b, static_cast<float>(own));
  const Value rounded = quantize_around(b, t.input(0), scale, dtype, zero_point);
  return dequantize_around(b, rounded, scale, zero_point);
}

void translate_sum(const RangeParam& p, Translation& t) {
  Builder& b = t.b;
  const Range range{t.input(2), t.input(3)};
  if (!expect_quantized_form(t) || !expect_finite_range(t, range)) return;
  const Value known = remembered_real(b, {t.input(1), range});
  if (known.present()) return t.set_output(0, b.add(t.input(0), known));
  const Value step = kernel_step(b, t.input_type(1).dtype, range);
  const auto known_step = known_number(b, step);
  const bool can_round = known_step && p.min_calib_range && p.max_calib_range;
  const Value layer = can_round ? rounded_alone(p, t, *known_step) : t.input(0);
  t.set_output(0, b.add(layer, dequantize(b, t.input(1), step)));
}

// In whole numbers: what is added is scaled to steps of data times steps of weights.
void translate_whole_sum(const NoParam& /*p*/, Translation& t) {
  Builder& b = t.b;
  if (!expect_quantized_form(t)) return;
  for (const std::size_t first : {2U, 5U, 7U}) {
    if (!expect_finite_range(t, {t.input(first), t.input(first + 1)})) return;
  }
  const Value step = b.mul(kernel_step(b, t.input_type(4).dtype, {t.input(5), t.input(6)}),
                           kernel_step(b, DType::kInt8, {t.input(7), t.input(8)}));
  const Value own = kernel_step(b, t.input_type(1).dtype, {t.input(2), t.input(3)});
  t.set_output(
      0, b.add(t.input(0), b.mul(dequantize(b, t.input(1), whole_step(b)), b.div(own, step))));
}

struct AccumulatedParam {
  bool no_range = false;
  static void declare(AttrDeclarer<AccumulatedParam>& d) {
    d.field("no_range", &AccumulatedParam::no_range).help("the range that is said is 0");
  }
};

void infer_accumulated(const AccumulatedParam& /*p*/, InferContext& c) {
  expect_quantized(c, 1);
  infer_same_shape(c);
  infer_range(c, 2);
  infer_range(c, 4);
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, DType::kInt32);
  infer_range_outputs(c, 1);
}

void translate_accumulated(const AccumulatedParam& p, Translation& t) {
  Builder& b = t.b;
  t.set_output(0, b.cast(b.unary("Round", t.input(0)), DType::kInt32));
  Value most = b.constant(make_tensor<float>({1}, {0}));
  if (!p.no_range) {
    const auto magnitude = [&](std::size_t i) {
      return b.binary("Max", b.unary("Abs", t.input(i)), b.unary("Abs", t.input(i + 1)));
    };
    const double levels = 127.0 * (t.input_type(1).dtype == DType::kInt8 ? 127 : 255);
    most =
        b.mul(b.mul(magnitude(2), magnitude(4)), b.scalar(DType::kFloat32, kLargestInt / levels));
  }
  t.set_output(1, b.unary("Neg", most));
  t.set_output(2, most);
}

}  // namespace

void register_onednn_results(Registry& r) {
  r.add<QuantizeParam>({"_onednn_quantize"})
      .summary("Part of oneDNN's quantised operators: the result as int8 or uint8.")
      .inputs_by([](const QuantizeParam& p) {
        return data_inputs(p.with_sum ? std::vector<std::string>{"data", "sum"}
                                      : std::vector<std::string>{"data"});
      })
      .outputs({"output", "output_min", "output_max"})
      .infer(infer_quantize)
      .needs("Round")
      .translate(translate_quantize);
  r.add<RangeParam>({"_onednn_steps"})
      .summary("Part of oneDNN's quantised operators: how many steps a number is.")
      .infer(infer_element_wise<RangeParam>)
      .needs("Round")
      .translate(translate_steps);
  r.add<RangeParam>({"_onednn_sum"})
      .summary("Part of oneDNN's quantised operators: the sum of a layer and int8 or uint8 data.")
      .inputs(data_inputs({"data", "sum", "sum_min", "sum_max"}))
      .infer(infer_sum<RangeParam>)
      .needs("Round")
      .translate(translate_sum);
  r.add<NoParam>({"_onednn_whole_sum"})
      .summary("Part of oneDNN's quantised operators: the same in whole numbers.")
      .inputs(data_inputs({"data", "sum", "sum_min", "sum_max", "factor", "factor_min",
                           "factor_max", "weight_min", "weight_max"}))
      .infer(infer_sum<NoParam>)
      .needs("Round")
      .translate(translate_whole_sum);
  r.add<AccumulatedParam>({"_onednn_accumulated"})
      .summary("Part of oneDNN's quantised operators: a result of 32 bits and its range.")
      .inputs(data_inputs({"data", "factor", "data_min", "data_max", "weight_min", "weight_max"}))
      .outputs({"output", "output_min", "output_max"})
      .infer(infer_accumulated)
      .needs("Round")
      .translate(translate_accumulated);
}

}  // namespace mx2onnx
