#include "ir/tensor.h"

#include <algorithm>
#include <bit>

#include "ir/convert_elements.h"

namespace mx2onnx {

static_assert(std::endian::native == std::endian::little,
              "weights are copied as they lie in the file, which is little-endian");

namespace {

template <typename Result>
std::vector<Result> read_all(const Tensor& tensor) {
  const TensorBytes raw(tensor);
  std::vector<Result> result(raw.bytes().size() / dtype_size(tensor.dtype));
  convert_elements(tensor.dtype, raw.bytes(), dtype_of<Result>(),
                   std::as_writable_bytes(std::span(result)));
  return result;
}

}  // namespace

void TensorData::for_each_piece(
    const std::function<void(std::span<const std::byte>)>& visit) const {
  const std::size_t step = std::min(piece_size(), size());
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(step);
  for (std::size_t offset = 0; offset < size();) {
    const std::span piece(buffer.get(), std::min(step, size() - offset));
    read(offset, piece);
    visit(piece);
    offset += piece.size();
  }
}

void TensorData::write_to(ByteSink& sink) const {
  if (const auto bytes = view()) return sink.append(*bytes);
  for_each_piece([&](std::span<const std::byte> piece) { sink.append(piece); });
}

Tensor make_tensor_as(DType dtype, std::vector<std::int64_t> dims, std::span<const double> values) {
  std::vector<std::byte> bytes(values.size() * dtype_size(dtype));
  convert_elements(DType::kFloat64, std::as_bytes(values), dtype, bytes);
  return {dtype, std::move(dims), std::make_shared<OwnedData>(std::move(bytes))};
}

Tensor make_scalar(DType dtype, double value) { return make_tensor_as(dtype, {}, {&value, 1}); }

TensorBytes::TensorBytes(const Tensor& tensor) : keep_(tensor.data) {
  if (const auto view = keep_->view()) {
    bytes_ = *view;
    return;
  }
  made_.resize(keep_->size());
  keep_->read(0, made_);
  bytes_ = made_;
}

std::vector<double> read_doubles(const Tensor& tensor) { return read_all<double>(tensor); }

std::vector<std::int64_t> read_ints(const Tensor& tensor) { return read_all<std::int64_t>(tensor); }

}  // namespace mx2onnx
