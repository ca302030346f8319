#include "ops/expressions/spatial.h"

#include <fmt/format.h>

#include "base/budget.h"
#include "ops/expressions/common.h"

namespace mx2onnx {

std::vector<std::string> layout_names() {
  return {"None", "NCW", "NCHW", "NCDHW", "NWC", "NHWC", "NDHWC"};
}

bool is_channels_last(Layout layout) {
  return layout == Layout::kNwc || layout == Layout::kNhwc || layout == Layout::kNdhwc;
}

std::vector<AttrProblem> check_layout(Layout layout, std::size_t spatial_axes) {
  const std::string name = layout_names()[static_cast<std::size_t>(layout)];
  if (layout == Layout::kDefault || name.size() == spatial_axes + 2) return {};
  return {{"layout",
           fmt::format("expected a layout of {} dimensions, got {}", spatial_axes + 2, name), ""}};
}

Tuple spatial_tuple(const Tuple& tuple, std::size_t rank, std::int64_t otherwise) {
  return tuple.empty() ? Tuple(rank, otherwise) : tuple;
}

onnx::Value to_channels_first(onnx::Builder& b, onnx::Value x, Layout layout) {
  const std::size_t rank = b.shape(x).rank();
  return is_channels_last(layout) ? b.transpose(x, move_perm(rank, rank - 1, 1)) : x;
}

onnx::Value from_channels_first(onnx::Builder& b, onnx::Value x, Layout layout) {
  const std::size_t rank = b.shape(x).rank();
  return is_channels_last(layout) ? b.transpose(x, move_perm(rank, 1, rank - 1)) : x;
}

Shape to_channels_first(const Shape& shape, Layout layout) {
  if (!is_channels_last(layout) || shape.rank() < 2) return shape;
  auto dims = shape.dims();
  dims.insert(dims.begin() + 1, dims.back());
  dims.pop_back();
  return Shape(std::move(dims));
}

Shape from_channels_first(const Shape& shape, Layout layout) {
  if (!is_channels_last(layout) || shape.rank() < 2) return shape;
  auto dims = shape.dims();
  dims.push_back(dims[1]);
  dims.erase(dims.begin() + 1);
  return Shape(std::move(dims));
}

Dim strided_size(const Dim& size, std::int64_t window, std::int64_t stride, std::int64_t pad) {
  return floor_div(size + 2 * pad - window, stride) + 1;
}

onnx::Value window_indices(onnx::Builder& b, const std::vector<std::int64_t>& offsets,
                           const Dim& count, std::int64_t stride) {
  const auto rows = static_cast<std::int64_t>(offsets.size());
  if (!count.is_constant()) {
    const onnx::Value starts = b.mul(counting(b, count), b.int_scalar(stride));
    return b.add(b.constant(make_tensor({rows, 1}, offsets)), starts);
  }
  spend_elements(rows, count.value());
  std::vector<std::int64_t> indices;
  for (const auto offset : offsets) {
    for (std::int64_t i = 0; i < count.value(); ++i) indices.push_back(offset + i * stride);
  }
  return b.constant(make_tensor({rows, count.value()}, indices));
}

Tuple both_ends(const Tuple& pad) {
  Tuple pads = pad;
  pads.insert(pads.end(), pad.begin(), pad.end());
  return pads;
}

}  // namespace mx2onnx
