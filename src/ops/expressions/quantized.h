// Arrays of integers that stand for a range of real numbers, as MXNet quantises (src/operator/
// quantization/quantization_utils.h): `data` of int8, uint8 or int32 beside the two ends of the
// range, of which only the larger magnitude counts. There is no zero point: 0 is 0.
//
// In the form kQdq an operator takes real numbers from DequantizeLinear and gives them to
// QuantizeLinear. Sums are int32 in MXNet; of these the real numbers are remembered beside the
// integers, and who requantises them begins from the real numbers: what nothing takes is swept up.
// In the form kFloat the real numbers are remembered of everything.
#pragma once

#include <optional>
#include <vector>

#include "ir/tensor.h"
#include "onnx/builder.h"
#include "ops/record/infer_context.h"
#include "ops/record/translation.h"

namespace mx2onnx {

/// The ends of a range, float32 of one element each.
struct Range {
  onnx::Value min;
  onnx::Value max;
};

/// Integers, and the range of what they stand for.
struct Quantized {
  onnx::Value data;
  Range range;
};

/// How many steps there are from 0 to the end of a range. MXNet's operators do not agree on it: an
/// operator reads with other steps than another one wrote with, and that is part of its numbers.
enum class Steps {
  kWhole,  ///< 127 of int8, 255 of uint8, 2^31 of int32.
  kHalf,   ///< 127.5 of int8, 255.5 of uint8.
};
float num_steps(DType dtype, Steps steps);

/// The one element of a float32 value, if it is a constant.
std::optional<float> known_number(const onnx::Builder& b, onnx::Value value);
/// float32 without dimensions.
onnx::Value number(onnx::Builder& b, float value);
/// float32 of shape (1,), as the ends of ranges are.
onnx::Value range_end(onnx::Builder& b, onnx::Value number);
/// "Add", "Sub", "Mul", "Div" or "Max" of two numbers, made at once if both are known.
onnx::Value of_numbers(onnx::Builder& b, std::string_view op_type, onnx::Value x, onnx::Value y);
onnx::Value negative(onnx::Builder& b, onnx::Value number);

/// The larger magnitude of the ends; without dimensions.
onnx::Value magnitude(onnx::Builder& b, const Range& range);
/// The real number that 1 stands for: the magnitude, divided by the number of steps.
onnx::Value step_of(onnx::Builder& b, const Range& range, DType dtype, Steps steps);
/// The least and the largest element of float32 data, without dimensions.
Range range_of_elements(onnx::Builder& b, onnx::Value x);

/// The integers nearest to x / step, halves to even ones, those out of the range at its ends.
onnx::Value quantize(onnx::Builder& b, onnx::Value x, onnx::Value step, DType dtype);
/// The integers nearest to x, in the same way.
onnx::Value round_to(onnx::Builder& b, onnx::Value x, DType dtype);
/// q * step; the same node for the same arguments.
onnx::Value dequantize(onnx::Builder& b, onnx::Value q, onnx::Value step);
/// q * step, where step has an element for each index of an axis.
onnx::Value dequantize(onnx::Builder& b, onnx::Value q, onnx::Value steps, std::int64_t axis);

/// The same two with another integer for 0, which MXNet does not have: for what is rounded here and
/// not in MXNet.
onnx::Value quantize_around(onnx::Builder& b, onnx::Value x, onnx::Value step, DType dtype,
                            int zero_point);
onnx::Value dequantize_around(onnx::Builder& b, onnx::Value q, onnx::Value step, int zero_point);

/// Remembers the real numbers that integers stand for, if they are read with this range. The data
/// has to be a node's output.
void set_real(onnx::Builder& b, const Quantized& q, onnx::Value real);
/// The ones that were remembered; absent if none were.
onnx::Value remembered_real(const onnx::Builder& b, const Quantized& q);
/// These, or else the data times their steps.
onnx::Value real(onnx::Builder& b, const Quantized& q, Steps steps);

/// Sets the outputs data, min and max of a node to what `real` becomes in steps of the range. In
/// the form kFloat the real numbers themselves are remembered.
void set_quantized(Translation& t, onnx::Value real, const Range& range, DType dtype, Steps steps);
/// Sets the outputs to integers with their range.
void set_outputs(Translation& t, const Quantized& q);
/// Shape rules of the ends of ranges, which are float32 of one element: of the outputs `first` and
/// the next, of two inputs, and of all inputs from the first.
void infer_range_outputs(InferContext& c, std::size_t first = 1);
void infer_range(InferContext& c, std::size_t first);
void infer_range_inputs(InferContext& c, std::size_t first);

/// The largest magnitude of each index of axis 0 of float32 data, or of all of it.
std::vector<float> channel_magnitudes(const Tensor& tensor);
float tensor_magnitude(const Tensor& tensor);
/// The int8 nearest to element * scale, halves to even ones, at most `most` in magnitude but for
/// -128; one scale for each index of axis 0, or one for all. Made while it is written.
Tensor quantized_weight(const Tensor& tensor, std::vector<float> scales);

/// float32 of int8, uint8 or int32, each times `step`. Made while it is written.
Tensor real_weight(const Tensor& tensor, float step);

/// Refuses the node where the form wants operators that ONNX Runtime has no kernels for; true if
/// the translation can go on.
bool expect_quantized_form(Translation& t);
/// Refuses a step that is known to be 0 or not finite; true if the translation can go on.
bool expect_step(Translation& t, onnx::Value step);

}  // namespace mx2onnx
