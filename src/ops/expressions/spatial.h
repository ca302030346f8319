// What convolution and pooling share: layouts, and tuples with one element per spatial axis.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/tensor_type.h"
#include "onnx/builder.h"
#include "ops/record/attr_schema.h"
#include "ops/record/attr_text.h"

namespace mx2onnx {

/// MXNet's names of data layouts. kDefault is "None": channels first.
enum class Layout { kDefault, kNcw, kNchw, kNcdhw, kNwc, kNhwc, kNdhwc };
std::vector<std::string> layout_names();
bool is_channels_last(Layout layout);
/// What is wrong with a layout for arrays of so many spatial axes; nothing of kDefault.
std::vector<AttrProblem> check_layout(Layout layout, std::size_t spatial_axes);

/// The tuple if it has elements, else `otherwise` for each of `rank` axes.
Tuple spatial_tuple(const Tuple& tuple, std::size_t rank, std::int64_t otherwise);

/// Batch, channels and then the spatial axes, and the way back.
onnx::Value to_channels_first(onnx::Builder& b, onnx::Value x, Layout layout);
onnx::Value from_channels_first(onnx::Builder& b, onnx::Value x, Layout layout);
Shape to_channels_first(const Shape& shape, Layout layout);
Shape from_channels_first(const Shape& shape, Layout layout);

/// 1 + (size + 2 * pad - window) / stride, rounded down.
Dim strided_size(const Dim& size, std::int64_t window, std::int64_t stride, std::int64_t pad);

/// Where `count` windows that lie `stride` apart find their elements along an axis: int64 numbers
/// of shape (offsets, count), each offset + window * stride.
onnx::Value window_indices(onnx::Builder& b, const std::vector<std::int64_t>& offsets,
                           const Dim& count, std::int64_t stride);

/// Every element of the tuple twice over: (1, 2) is (1, 2, 1, 2), as ONNX's `pads` wants it.
Tuple both_ends(const Tuple& pad);

}  // namespace mx2onnx
