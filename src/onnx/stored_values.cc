// The elements of small tensors of a file, see reader.h.
#include <bit>
#include <cstring>
#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "ir/dtype.h"
#include "onnx/reader.h"
#include "onnx/schema.h"

namespace mx2onnx::onnx {
namespace {

constexpr std::uint32_t kFloatData = 4, kInt32Data = 5, kInt64Data = 7, kRawData = 9,
                        kDoubleData = 10, kUint64Data = 11;

static_assert(std::endian::native == std::endian::little, "raw elements are little-endian");

template <typename T>
bool add_raw(std::string_view bytes, std::vector<double>& values) {
  if (bytes.size() % sizeof(T) != 0) return false;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(T)) {
    T element;
    std::memcpy(&element, bytes.data() + at, sizeof(T));
    values.push_back(static_cast<double>(element));
  }
  return true;
}

bool add_raw(std::string_view bytes, std::int64_t dtype, std::vector<double>& values) {
  if (dtype == onnx_type_code(DType::kFloat32)) return add_raw<float>(bytes, values);
  if (dtype == onnx_type_code(DType::kFloat64)) return add_raw<double>(bytes, values);
  if (dtype == onnx_type_code(DType::kInt64)) return add_raw<std::int64_t>(bytes, values);
  if (dtype == onnx_type_code(DType::kInt32)) return add_raw<std::int32_t>(bytes, values);
  if (dtype == onnx_type_code(DType::kInt8)) return add_raw<std::int8_t>(bytes, values);
  const bool is_bytes =
      dtype == onnx_type_code(DType::kUint8) || dtype == onnx_type_code(DType::kBool);
  return is_bytes && add_raw<std::uint8_t>(bytes, values);
}

bool add_packed(const StoredWeight& tensor, std::vector<double>& values) {
  // A message of the one field, which the elements were read from.
  protozero::data_view view(tensor.elements.data(), tensor.elements.size());
  const auto add = [&](auto begin, auto end) {
    for (; begin != end; ++begin) values.push_back(static_cast<double>(*begin));
  };
  using protozero::const_varint_iterator;
  const char* begin = view.data();
  const char* end = view.data() + view.size();
  if (tensor.field == kFloatData) return add_raw<float>(tensor.elements, values);
  if (tensor.field == kDoubleData) return add_raw<double>(tensor.elements, values);
  if (tensor.field == kInt32Data && tensor.dtype == onnx_type_code(DType::kFloat16)) return false;
  if (tensor.field == kInt32Data) {
    add(const_varint_iterator<std::int32_t>(begin, end),
        const_varint_iterator<std::int32_t>(end, end));
    return true;
  }
  if (tensor.field == kInt64Data || tensor.field == kUint64Data) {
    add(const_varint_iterator<std::int64_t>(begin, end),
        const_varint_iterator<std::int64_t>(end, end));
    return true;
  }
  return false;
}

}  // namespace

std::optional<std::vector<double>> small_values(const StoredWeight& tensor, std::size_t most) {
  std::uint64_t count = 1;
  for (const auto size : tensor.dims) {
    if (size < 0) return std::nullopt;
    count *= static_cast<std::uint64_t>(size);
    if (count > most) return std::nullopt;
  }
  constexpr std::size_t kMostBytes = 10;  // of a packed number
  if (tensor.elements.size() > most * kMostBytes) return std::nullopt;
  std::vector<double> values;
  bool is_known = false;
  try {
    is_known = tensor.field == kRawData ? add_raw(tensor.elements, tensor.dtype, values)
                                        : add_packed(tensor, values);
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  if (!is_known || values.size() != count) return std::nullopt;
  return values;
}

}  // namespace mx2onnx::onnx
