#include "ir/computed.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "ir/convert_elements.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostKept = 1 << 20;

/// Memory for a range of a tensor's elements.
struct Scratch {
  std::unique_ptr<std::byte[]> memory;
  std::size_t size;
  explicit Scratch(std::size_t size)
      : memory(std::make_unique_for_overwrite<std::byte[]>(size)), size(size) {}
  std::span<std::byte> bytes() const { return {memory.get(), size}; }
};

}  // namespace

Tensor elementwise(DType dtype, std::vector<std::int64_t> dims, std::vector<Tensor> sources,
                   MakeElements make) {
  const std::size_t size = dtype_size(dtype);
  Tensor result{dtype, std::move(dims), nullptr};
  const auto count = static_cast<std::size_t>(result.count());
  std::size_t at_once = 1;
  for (const auto& source : sources) {
    const std::size_t source_size = dtype_size(source.dtype);
    require(source.size_bytes() == count * source_size, "sources of as many elements");
    at_once = std::max(at_once, source.data->piece_size() / source_size);
  }
  auto fill = [sources = std::move(sources), make = std::move(make), size](
                  std::size_t offset, std::span<std::byte> to) {
    const std::size_t first = offset / size;
    std::vector<Scratch> buffers;
    std::vector<std::span<const std::byte>> from;
    for (const auto& source : sources) {
      const std::size_t source_size = dtype_size(source.dtype);
      buffers.emplace_back(to.size() / size * source_size);
      source.data->read(first * source_size, buffers.back().bytes());
      from.emplace_back(buffers.back().bytes());
    }
    make(first, from, to);
  };
  result.data = std::make_shared<ComputedData>(count * size, std::move(fill), at_once * size);
  return result;
}

Tensor cast(const Tensor& tensor, DType dtype) {
  if (tensor.dtype == dtype) return tensor;
  return elementwise(dtype, tensor.dims, {tensor},
                     [from_type = tensor.dtype, dtype](std::size_t, const auto& from, auto to) {
                       convert_elements(from_type, from[0], dtype, to);
                     });
}

std::shared_ptr<const TensorData> joined(std::vector<DataPart> parts, std::size_t times) {
  std::vector<std::size_t> begins;  // of each part within one time
  std::size_t size = 0;
  std::size_t piece_size = TensorData::kPieceSize;
  for (const auto& part : parts) {
    piece_size = std::max(piece_size, part.data->piece_size());
    begins.push_back(size);
    size += part.size;
  }
  auto fill = [parts = std::move(parts), begins = std::move(begins), size](
                  std::size_t offset, std::span<std::byte> to) {
    std::size_t time = offset / size;
    std::size_t at = offset % size;
    auto index = static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), at) -
                                          begins.begin() - 1);
    while (!to.empty()) {
      const DataPart& part = parts[index];
      const std::size_t within = at - begins[index];
      const std::size_t step = std::min(part.size - within, to.size());
      if (step > 0) part.data->read(part.begin + time * part.size + within, to.first(step));
      at += step;
      to = to.subspan(step);
      if (++index < parts.size()) continue;
      index = 0;
      at = 0;
      ++time;
    }
  };
  return std::make_shared<ComputedData>(size * times, std::move(fill), piece_size);
}

Tensor kept_if_small(Tensor tensor) {
  if (tensor.size_bytes() > kMostKept || tensor.data->view()) return tensor;
  std::vector<std::byte> bytes(tensor.size_bytes());
  tensor.data->read(0, bytes);
  tensor.data = std::make_shared<OwnedData>(std::move(bytes));
  return tensor;
}

}  // namespace mx2onnx
