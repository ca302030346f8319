// softmax, log_softmax and softmin (src/operator/nn/softmax-inl.h), and MXNet 2.0's masked_softmax
// and masked_log_softmax.
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct SoftmaxParam {
  std::int64_t axis = -1;
  std::optional<double> temperature;
  std::optional<DType> dtype;
  std::optional<bool> use_length = false;

  static void declare(AttrDeclarer<SoftmaxParam>& d) {
    d.field("axis", &SoftmaxParam::axis).help("that is normalised");
    d.field("temperature", &SoftmaxParam::temperature).help("the input is divided by it");
    d.dtype("dtype", &SoftmaxParam::dtype).help("of the output; None: that of the input");
    d.field("use_length", &SoftmaxParam::use_length)
        .help("a second input says how many elements count");
  }
};

std::vector<InputDef> softmax_inputs(const SoftmaxParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}};
  if (p.use_length.value_or(false)) inputs.push_back({"length", InputRole::kData});
  return inputs;
}

void infer_softmax(const SoftmaxParam& p, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  if (p.dtype) {
    c.set_output_dtype(0, *p.dtype);
  } else {
    c.set_input_dtype(0, c.output(0).dtype);
    c.set_output_dtype(0, c.input(0).dtype);
  }
  const Shape& data = c.input_shape(0);
  // MXNet looks at the element type only where there are elements.
  const bool is_number = c.input(0).dtype == DType::kUnknown || is_floating(c.input(0).dtype);
  if (!is_number && data.known() && !data.is_empty()) {
    fail(ErrorCode::kModel,
         fmt::format("expected floating-point data, found {}", dtype_name(c.input(0).dtype)));
  }
  if (!data.known_rank()) return;
  // Of an array of no dimensions, the one element is the axis.
  const std::size_t axis = checked_axis(p.axis, std::max<std::size_t>(data.rank(), 1));
  if (!p.use_length.value_or(false)) return;
  if (data.rank() == 0) c.fail_input(0, "at least 1 dimension");
  auto dims = data.dims();
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  c.set_input_shape(1, Shape(std::move(dims)));
}

// The dtype in which the result is computed: the wider of input and output.
DType working_dtype(Translation& t) {
  const DType from = t.input_type(0).dtype;
  const DType to = t.output_type(0).dtype;
  return dtype_size(to) > dtype_size(from) ? to : from;
}

Value prepared(const SoftmaxParam& p, Translation& t) {
  Value x = t.b.cast(t.input(0), working_dtype(t));
  if (t.input_rank(0) == 0) x = onnx::reshape(t.b, x, Shape{1});
  if (!p.temperature || *p.temperature == 1) return x;
  if (*p.temperature == 0) {
    // The largest element becomes 0 / 0, and with it all of them.
    return t.b.mul(x, t.b.scalar(t.b.dtype(x), std::numeric_limits<double>::quiet_NaN()));
  }
  return t.b.div(x, t.b.scalar(t.b.dtype(x), *p.temperature));
}

void finish(Translation& t, Value y) {
  t.set_output(0, onnx::reshape(t.b, t.b.cast(y, t.output_type(0).dtype), t.output_shape(0)));
}

// True where an element is among the first `length` along the axis.
Value length_mask(const SoftmaxParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const std::size_t axis = checked_axis(p.axis, data.rank());
  const Value length =
      onnx::unsqueeze(b, b.cast(t.input(1), DType::kInt64), {static_cast<std::int64_t>(axis)});
  const Value count = onnx::reshape(b, onnx::size_tensor(b, data[axis]), Shape(std::vector<Dim>{}));
  const Value positions = b.emit("Range", {b.int_scalar(0), count, b.int_scalar(1)}, {},
                                 {DType::kInt64, Shape{data[axis]}});
  return b.binary("Less", along_axis(b, positions, axis, data.rank()), length);
}

void translate_softmax(const SoftmaxParam& p, Translation& t) {
  Builder& b = t.b;
  Value x = prepared(p, t);
  if (!p.use_length.value_or(false)) return finish(t, onnx::softmax(b, "Softmax", x, p.axis));
  // Elements that do not count are 0, and so is everything where none counts.
  const Value mask = length_mask(p, t);
  x = b.where(mask, x, b.scalar(b.dtype(x), -1e30));
  const Value soft = onnx::softmax(b, "Softmax", x, p.axis);
  finish(t, b.where(mask, soft, b.scalar(b.dtype(soft), 0)));
}

void translate_log_softmax(const SoftmaxParam& p, Translation& t) {
  finish(t, onnx::softmax(t.b, "LogSoftmax", prepared(p, t), p.axis));
}

void translate_softmin(const SoftmaxParam& p, Translation& t) {
  finish(t, onnx::softmax(t.b, "Softmax", t.b.unary("Neg", prepared(p, t)), p.axis));
}

// Only softmax itself takes lengths.
std::vector<AttrProblem> check_without_length(const SoftmaxParam& p, const CheckContext& /*c*/) {
  if (!p.use_length.value_or(false)) return {};
  return {{"use_length", "MXNet has lengths only for softmax", ""}};
}

struct MaskedParam {
  std::int64_t axis = -1;
  std::optional<double> temperature;

  static void declare(AttrDeclarer<MaskedParam>& d) {
    d.field("axis", &MaskedParam::axis).help("that is normalised");
    d.field("temperature", &MaskedParam::temperature).help("the input is divided by it");
    d.ignore({"normalize"});  // Not looked at on a CPU.
  }
};

void infer_masked(const MaskedParam& p, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  c.set_input_dtype(0, c.output(0).dtype);
  c.set_output_dtype(0, c.input(0).dtype);
  c.set_input_dtype(1, DType::kBool);
  if (c.input(0).dtype != DType::kUnknown && !is_floating(c.input(0).dtype))
    c.fail_input(0, "floating-point data");
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  checked_axis(p.axis, data.rank());
  const Shape& mask = c.input_shape(1);
  if (!mask.known_rank()) return;
  if (mask.rank() != data.rank())
    c.fail_input(1, fmt::format("{} dimensions, as the data has", data.rank()));
  for (std::size_t i = 0; i < data.rank(); ++i) {
    if (data[i].is_constant() && mask[i].is_constant() && mask[i] != data[i] && mask[i] != Dim(1))
      c.fail_input(1, fmt::format("the data's size {} or 1 in axis {}", data[i].value(), i));
  }
}

double lowest_of(DType dtype) {
  if (dtype == DType::kFloat64) return std::numeric_limits<double>::lowest();
  if (dtype == DType::kFloat16) return -65504;
  return std::numeric_limits<float>::lowest();
}

// What is masked is the lowest number before, and `masked` after.
void translate_masked(const MaskedParam& p, std::string_view op_type, double masked,
                      Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  Value x = b.where(t.input(1), t.input(0), b.scalar(dtype, lowest_of(dtype)));
  if (p.temperature && *p.temperature != 1) {
    // Of the lowest number, the quotient might be infinite, and so would be their maximum.
    x = b.sub(x, onnx::reduce(b, "ReduceMax", x, {p.axis}, true));
    x = b.div(x, b.scalar(dtype, *p.temperature));
  }
  t.set_output(0,
               b.where(t.input(1), onnx::softmax(b, op_type, x, p.axis), b.scalar(dtype, masked)));
}

std::vector<AttrProblem> check_masked(const MaskedParam& p, const CheckContext& /*context*/) {
  if (!p.temperature || *p.temperature > 0) return {};
  return {{"temperature", "expected a number above 0, which keeps masked elements at 0", ""}};
}

const char* const kNotFinite =
    "Where one of the elements along the axis is infinity or NaN, or becomes it by division by the "
    "temperature, all of them become NaN; of float32, oneDNN gives the finite ones other numbers, "
    "in softmax 0. With a negative temperature MXNet overflows, to NaN, where elements differ by "
    "more than it times 88 (float32; 11 of float16, 709 of float64).";

const char* const kMaskedNotFinite =
    "Where one of the elements along the axis is infinity or NaN, or becomes it by the "
    "temperature, "
    "masked or not, oneDNN makes others of float32 0 or NaN; here they are what MXNet's own kernel "
    "gives.";

}  // namespace

void register_softmax(Registry& r) {
  r.add<SoftmaxParam>({"softmax", "_npx_softmax"})
      .summary("exp(x) over its sum along one axis.")
      .inputs_by(softmax_inputs)
      .infer(infer_softmax)
      .translate(translate_softmax)
      .note(kNotFinite)
      .note(std::string(kHalfSumNote));
  r.add<SoftmaxParam>({"log_softmax", "_npx_log_softmax"})
      .summary("The logarithm of softmax.")
      .infer(infer_softmax)
      .translate(translate_log_softmax)
      .check(check_without_length)
      .note(kNotFinite)
      .note(std::string(kHalfSumNote));
  r.add<SoftmaxParam>({"softmin"})
      .summary("softmax of -x.")
      .infer(infer_softmax)
      .translate(translate_softmin)
      .check(check_without_length)
      .note(kNotFinite)
      .note(std::string(kHalfSumNote));
  r.add<MaskedParam>({"masked_softmax", "_npx_masked_softmax"})
      .summary("softmax of the elements where a mask is true; 0 elsewhere (MXNet 2.0).")
      .inputs({{"data", InputRole::kData}, {"mask", InputRole::kData}})
      .infer(infer_masked)
      .translate([](const MaskedParam& p, Translation& t) { translate_masked(p, "Softmax", 0, t); })
      .check(check_masked)
      .note(
          "Where nothing counts, float32 with a temperature below 1 is 0, as in MXNet's own "
          "kernel; its oneDNN kernel overflows there and gives NaN.")
      .note(kMaskedNotFinite);
  r.add<MaskedParam>({"masked_log_softmax", "_npx_masked_log_softmax"})
      .summary("log_softmax of the elements where a mask is true; -inf elsewhere (MXNet 2.0).")
      .inputs({{"data", InputRole::kData}, {"mask", InputRole::kData}})
      .infer(infer_masked)
      .translate([](const MaskedParam& p, Translation& t) {
        translate_masked(p, "LogSoftmax", -std::numeric_limits<double>::infinity(), t);
      })
      .check(check_masked)
      .note(kMaskedNotFinite);
}

}  // namespace mx2onnx
