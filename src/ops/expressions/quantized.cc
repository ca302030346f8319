#include "ops/expressions/quantized.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "ir/computed.h"
#include "onnx/kernels.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::QuantizedForm;
using onnx::Value;

// Outputs get names by an Identity at times; what counts is where they come from.
Value origin(const Builder& b, Value value) {
  for (const onnx::Node* node = b.producer(value); node != nullptr && node->is("Identity");
       node = b.producer(value)) {
    value = node->inputs[0];
  }
  return value;
}

Value without_dimensions(Builder& b, Value x) {
  if (b.shape(x).known_rank() && b.shape(x).rank() == 0) return x;
  return onnx::reshape(b, x, Shape(std::vector<Dim>{}));
}

float of_known(std::string_view op_type, float x, float y) {
  if (op_type == "Add") return x + y;
  if (op_type == "Sub") return x - y;
  if (op_type == "Mul") return x * y;
  if (op_type == "Div") return x / y;
  require(op_type == "Max", "an operator that is not known of numbers");
  return std::max(x, y);
}

Value absolute(Builder& b, Value x) {
  const auto known = known_number(b, x);
  return known ? number(b, std::abs(*known)) : b.unary("Abs", without_dimensions(b, x));
}

Value zero_point(Builder& b, DType dtype) { return b.scalar(dtype, 0); }

bool wants_zero_point(const Builder& b, DType dtype) {
  if (dtype == DType::kInt8) return onnx::wants_int8_zero_point(b);
  return dtype == DType::kUint8;
}

std::string real_key(const Builder& b, const Quantized& q) {
  return fmt::format("real numbers of {} in {} to {}", origin(b, q.data).id,
                     origin(b, q.range.min).id, origin(b, q.range.max).id);
}

bool uses_quantize_linear(const Builder& b) {
  return b.quantized_form() == QuantizedForm::kQdq && onnx::runs_quantize_linear(b);
}

// Reads float32 elements that may be unaligned.
float element_at(std::span<const std::byte> bytes, std::size_t i) {
  float value = 0;
  std::memcpy(&value, bytes.data() + i * sizeof(float), sizeof(float));
  return value;
}

// Of int8, uint8 or int32.
float integer_at(std::span<const std::byte> bytes, DType dtype, std::size_t i) {
  if (dtype == DType::kUint8) return static_cast<float>(std::to_integer<std::uint8_t>(bytes[i]));
  if (dtype == DType::kInt8)
    return static_cast<std::int8_t>(std::to_integer<std::uint8_t>(bytes[i]));
  std::int32_t value = 0;
  std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
  return static_cast<float>(value);
}

void infer_range_ends(InferContext& c, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    c.set_input_dtype(i, DType::kFloat32);
    c.set_input_shape(i, Shape{1});
  }
}

std::size_t row_size(const Tensor& tensor) {
  const auto count = static_cast<std::size_t>(tensor.count());
  const auto rows = static_cast<std::size_t>(tensor.dims.empty() ? 1 : tensor.dims[0]);
  return rows == 0 ? 0 : count / rows;
}

}  // namespace

float num_steps(DType dtype, Steps steps) {
  constexpr float kInt32Steps = 2147483648.0F;
  if (dtype == DType::kInt32) return kInt32Steps;
  const float half = steps == Steps::kHalf ? 0.5F : 0;
  return (dtype == DType::kInt8 ? 127.0F : 255.0F) + half;
}

std::optional<float> known_number(const Builder& b, Value value) {
  const Tensor* constant = b.graph().constant(origin(b, value));
  if (constant == nullptr || constant->dtype != DType::kFloat32 || constant->count() != 1)
    return std::nullopt;
  return static_cast<float>(read_doubles(*constant)[0]);
}

Value number(Builder& b, float value) { return b.scalar(DType::kFloat32, value); }

Value range_end(Builder& b, Value number) {
  const auto known = known_number(b, number);
  if (known) return b.constant(make_tensor<float>({1}, {*known}));
  return onnx::reshape(b, number, Shape{1});
}

Value of_numbers(Builder& b, std::string_view op_type, Value x, Value y) {
  const auto known_x = known_number(b, x);
  const auto known_y = known_number(b, y);
  if (known_x && known_y) return number(b, of_known(op_type, *known_x, *known_y));
  x = known_x ? number(b, *known_x) : without_dimensions(b, x);
  y = known_y ? number(b, *known_y) : without_dimensions(b, y);
  return b.emit(op_type, {x, y}, {}, {DType::kFloat32, Shape(std::vector<Dim>{})});
}

Value negative(Builder& b, Value number) {
  const auto known = known_number(b, number);
  return known ? mx2onnx::number(b, -*known) : b.unary("Neg", without_dimensions(b, number));
}

Value magnitude(Builder& b, const Range& range) {
  return of_numbers(b, "Max", absolute(b, range.min), absolute(b, range.max));
}

Value step_of(Builder& b, const Range& range, DType dtype, Steps steps) {
  return of_numbers(b, "Div", magnitude(b, range), number(b, num_steps(dtype, steps)));
}

Range range_of_elements(Builder& b, Value x) {
  const auto axes = iota(b.shape(x).rank());
  return {onnx::reduce(b, "ReduceMin", x, axes, false),
          onnx::reduce(b, "ReduceMax", x, axes, false)};
}

Value round_to(Builder& b, Value x, DType dtype) {
  if (dtype == DType::kInt32) {
    // The largest float32 that an int32 can be.
    constexpr double kLargest = 2147483520.0;
    return b.cast(onnx::clip(b, b.unary("Round", x), -2147483648.0, kLargest), dtype);
  }
  const auto [least, largest] = integer_range(dtype);
  return b.cast(onnx::clip(b, b.unary("Round", x), least, largest), dtype);
}

Value quantize(Builder& b, Value x, Value step, DType dtype) {
  if (dtype == DType::kInt32 || !uses_quantize_linear(b)) return round_to(b, b.div(x, step), dtype);
  return b.emit("QuantizeLinear", {x, step, zero_point(b, dtype)}, {}, {dtype, b.shape(x)});
}

Value dequantize(Builder& b, Value q, Value step) {
  const std::string key = fmt::format("dequantized {} {}", q.id, step.id);
  if (const Value found = b.find_cached(key); found.present()) return found;
  Value result;
  const Tensor* weight = b.graph().constant(q);
  const auto known = known_number(b, step);
  if (b.quantized_form() == QuantizedForm::kFloat && weight != nullptr && known) {
    result = b.add_parameter(b.graph().name_of(q) + "_float", real_weight(*weight, *known));
  } else if (!uses_quantize_linear(b)) {
    result = b.mul(b.cast(q, DType::kFloat32), step);
  } else {
    std::vector<Value> inputs{q, step};
    if (wants_zero_point(b, b.dtype(q))) inputs.push_back(zero_point(b, b.dtype(q)));
    result = b.emit("DequantizeLinear", std::move(inputs), {}, {DType::kFloat32, b.shape(q)});
  }
  b.remember(key, result);
  return result;
}

Value dequantize(Builder& b, Value q, Value steps, std::int64_t axis) {
  if (!uses_quantize_linear(b)) {
    return b.mul(b.cast(q, DType::kFloat32),
                 along_axis(b, steps, static_cast<std::size_t>(axis), b.shape(q).rank()));
  }
  std::vector<Value> inputs{q, steps};
  if (wants_zero_point(b, b.dtype(q))) {
    const auto count = static_cast<std::size_t>(b.shape(steps)[0].value());
    inputs.push_back(b.constant(
        make_tensor_as(b.dtype(q), {b.shape(steps)[0].value()}, std::vector<double>(count, 0))));
  }
  return b.emit("DequantizeLinear", std::move(inputs), {{"axis", axis}},
                {DType::kFloat32, b.shape(q)});
}

Value quantize_around(Builder& b, Value x, Value step, DType dtype, int zero_point) {
  if (uses_quantize_linear(b)) {
    return b.emit("QuantizeLinear", {x, step, b.scalar(dtype, zero_point)}, {},
                  {dtype, b.shape(x)});
  }
  const Value steps = b.unary("Round", b.div(x, step));
  return round_to(b, b.add(steps, number(b, static_cast<float>(zero_point))), dtype);
}

Value dequantize_around(Builder& b, Value q, Value step, int zero_point) {
  if (uses_quantize_linear(b)) {
    return b.emit("DequantizeLinear", {q, step, b.scalar(b.dtype(q), zero_point)}, {},
                  {DType::kFloat32, b.shape(q)});
  }
  const Value steps = b.cast(q, DType::kFloat32);
  return b.mul(b.sub(steps, number(b, static_cast<float>(zero_point))), step);
}

void set_real(Builder& b, const Quantized& q, Value real) { b.remember(real_key(b, q), real); }

Value remembered_real(const Builder& b, const Quantized& q) {
  return b.find_cached(real_key(b, q));
}

Value real(Builder& b, const Quantized& q, Steps steps) {
  const Value found = remembered_real(b, q);
  if (found.present()) return found;
  return dequantize(b, q.data, step_of(b, q.range, b.dtype(q.data), steps));
}

void set_quantized(Translation& t, Value real, const Range& range, DType dtype, Steps steps) {
  Builder& b = t.b;
  const Value step = step_of(b, range, dtype, steps);
  if (!expect_step(t, step)) return;
  const Quantized q{quantize(b, real, step, dtype),
                    {range_end(b, range.min), range_end(b, range.max)}};
  if (b.quantized_form() == QuantizedForm::kFloat) set_real(b, q, real);
  set_outputs(t, q);
}

void set_outputs(Translation& t, const Quantized& q) {
  t.set_output(0, q.data);
  t.set_output(1, q.range.min);
  t.set_output(2, q.range.max);
}

void infer_range_outputs(InferContext& c, std::size_t first) {
  for (std::size_t i = first; i < first + 2; ++i) {
    c.set_output_dtype(i, DType::kFloat32);
    c.set_output_shape(i, Shape{1});
  }
}

void infer_range(InferContext& c, std::size_t first) { infer_range_ends(c, first, first + 2); }

void infer_range_inputs(InferContext& c, std::size_t first) {
  infer_range_ends(c, first, c.num_inputs());
}

std::vector<float> channel_magnitudes(const Tensor& tensor) {
  const TensorBytes raw(tensor);
  const std::size_t row = row_size(tensor);
  const auto count = static_cast<std::size_t>(tensor.count());
  std::vector<float> result(row == 0 ? 0 : count / row, 0);
  for (std::size_t i = 0; i < count; ++i) {
    float& most = result[i / row];
    most = std::max(most, std::abs(element_at(raw.bytes(), i)));
  }
  return result;
}

float tensor_magnitude(const Tensor& tensor) {
  const auto rows = channel_magnitudes(tensor);
  return rows.empty() ? 0 : *std::max_element(rows.begin(), rows.end());
}

Tensor quantized_weight(const Tensor& tensor, std::vector<float> scales) {
  require(tensor.dtype == DType::kFloat32, "a weight that is quantised is not float32");
  const auto count = static_cast<std::size_t>(tensor.count());
  const std::size_t row = scales.size() == 1 ? std::max<std::size_t>(count, 1) : row_size(tensor);
  return elementwise(DType::kInt8, tensor.dims, {tensor},
                     [row, scales = std::move(scales)](std::size_t first, const auto& from,
                                                       std::span<std::byte> to) {
                       constexpr float kLeast = -128;
                       constexpr float kMost = 127;
                       for (std::size_t i = 0; i < to.size(); ++i) {
                         const float x = element_at(from[0], i) * scales[(first + i) / row];
                         // NaN becomes the largest, as in oneDNN.
                         const float whole = std::isnan(x) ? kMost : std::nearbyint(x);
                         to[i] = static_cast<std::byte>(
                             static_cast<std::int8_t>(std::clamp(whole, kLeast, kMost)));
                       }
                     });
}

Tensor real_weight(const Tensor& tensor, float step) {
  return elementwise(DType::kFloat32, tensor.dims, {tensor},
                     [step, dtype = tensor.dtype](std::size_t /*first*/, const auto& from,
                                                  std::span<std::byte> to) {
                       for (std::size_t i = 0; i < to.size() / sizeof(float); ++i) {
                         const float value = integer_at(from[0], dtype, i) * step;
                         std::memcpy(to.data() + i * sizeof(value), &value, sizeof(value));
                       }
                     });
}

bool expect_quantized_form(Translation& t) {
  if (t.b.quantized_form() != QuantizedForm::kQdq || onnx::runs_quantize_linear(t.b)) return true;
  t.refuse(fmt::format("ONNX Runtime has no kernels of QuantizeLinear and DequantizeLinear at "
                       "opset {}",
                       t.b.opset()),
           "use --opset 27 or below, or --quantized-form qlinear");
  return false;
}

bool expect_step(Translation& t, Value step) {
  const auto known = known_number(t.b, step);
  if (!known || (std::isfinite(*known) && *known > 0)) return true;
  t.refuse(fmt::format("expected a range that is finite and not 0, found steps of {}", *known));
  return false;
}

}  // namespace mx2onnx
