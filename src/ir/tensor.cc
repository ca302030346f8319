#include "ir/tensor.h"

#include <bit>
#include <cmath>
#include <limits>

namespace mx2onnx {

static_assert(std::endian::native == std::endian::little,
              "weights are copied as they lie in the file, which is little-endian");

namespace {

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// Calls `visit` with one element as a float, double, int64 or uint64.
template <typename Visit>
void visit_element(DType dtype, const std::byte* from, Visit visit) {
  switch (dtype) {
    case DType::kFloat32:
      return visit(load<float>(from));
    case DType::kFloat64:
      return visit(load<double>(from));
    case DType::kFloat16:
      return visit(half_to_float(load<std::uint16_t>(from)));
    case DType::kBfloat16:
      return visit(bfloat16_to_float(load<std::uint16_t>(from)));
    case DType::kUint8:
    case DType::kBool:
      return visit(std::int64_t{load<std::uint8_t>(from)});
    case DType::kInt8:
      return visit(std::int64_t{load<std::int8_t>(from)});
    case DType::kInt16:
      return visit(std::int64_t{load<std::int16_t>(from)});
    case DType::kUint16:
      return visit(std::int64_t{load<std::uint16_t>(from)});
    case DType::kInt32:
      return visit(std::int64_t{load<std::int32_t>(from)});
    case DType::kUint32:
      return visit(std::int64_t{load<std::uint32_t>(from)});
    case DType::kInt64:
      return visit(load<std::int64_t>(from));
    case DType::kUint64:
      return visit(load<std::uint64_t>(from));
    case DType::kUnknown:
      break;
  }
  require(false, "element of unknown type");
}

// A conversion that is defined for every value, out-of-range ones included.
std::int64_t to_int(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
  if (value <= -0x1p63) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

template <typename T>
void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

void store_element(DType dtype, std::byte* to, double value) {
  switch (dtype) {
    case DType::kFloat32:
      return store(to, static_cast<float>(value));
    case DType::kFloat64:
      return store(to, value);
    case DType::kFloat16:
      return store(to, float_to_half(static_cast<float>(value)));
    case DType::kBfloat16:
      return store(to, float_to_bfloat16(static_cast<float>(value)));
    case DType::kBool:
      return store(to, static_cast<std::uint8_t>(value != 0 ? 1 : 0));
    case DType::kUint8:
    case DType::kInt8:
      return store(to, static_cast<std::uint8_t>(to_int(value)));
    case DType::kInt16:
    case DType::kUint16:
      return store(to, static_cast<std::uint16_t>(to_int(value)));
    case DType::kInt32:
    case DType::kUint32:
      return store(to, static_cast<std::uint32_t>(to_int(value)));
    case DType::kInt64:
    case DType::kUint64:
      return store(to, to_int(value));
    case DType::kUnknown:
      break;
  }
  require(false, "element of unknown type");
}

template <typename Result, typename Convert>
std::vector<Result> read_all(const Tensor& tensor, Convert convert) {
  const TensorBytes raw(tensor);
  const std::size_t element = dtype_size(tensor.dtype);
  std::vector<Result> result(raw.bytes().size() / element);
  for (std::size_t i = 0; i < result.size(); ++i) {
    visit_element(tensor.dtype, raw.bytes().data() + i * element,
                  [&](auto value) { result[i] = convert(value); });
  }
  return result;
}

}  // namespace

Tensor make_tensor_as(DType dtype, std::vector<std::int64_t> dims, std::span<const double> values) {
  const std::size_t element = dtype_size(dtype);
  std::vector<std::byte> bytes(values.size() * element);
  for (std::size_t i = 0; i < values.size(); ++i) {
    store_element(dtype, bytes.data() + i * element, values[i]);
  }
  return {dtype, std::move(dims), std::make_shared<OwnedData>(std::move(bytes))};
}

Tensor make_scalar(DType dtype, double value) { return make_tensor_as(dtype, {}, {&value, 1}); }

TensorBytes::TensorBytes(const Tensor& tensor) : keep_(tensor.data) {
  if (const auto view = keep_->view()) {
    bytes_ = *view;
    return;
  }
  MemorySink sink;
  sink.reserve(keep_->size());
  keep_->write_to(sink);
  made_ = sink.take();
  bytes_ = std::as_bytes(std::span(made_));
}

std::vector<double> read_doubles(const Tensor& tensor) {
  return read_all<double>(tensor, [](auto value) { return static_cast<double>(value); });
}

std::vector<std::int64_t> read_ints(const Tensor& tensor) {
  return read_all<std::int64_t>(tensor, [](auto value) {
    if constexpr (std::is_floating_point_v<decltype(value)>) {
      return to_int(static_cast<double>(value));
    } else {
      return static_cast<std::int64_t>(value);
    }
  });
}

}  // namespace mx2onnx
