#include "ir/convert_elements.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "ir/half_conversion.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kBlock = 512;

// How the elements of a type lie in memory, and what they are computed as.
template <typename Stored, DType kType>
struct Element {
  using Raw = Stored;
  static auto load(Raw raw) {
    if constexpr (kType == DType::kFloat16) {
      return half_to_float(raw);
    } else if constexpr (kType == DType::kBfloat16) {
      return bfloat16_to_float(raw);
    } else if constexpr (std::is_floating_point_v<Raw> || std::is_same_v<Raw, std::uint64_t>) {
      return raw;
    } else {
      return std::int64_t{raw};
    }
  }
};

// Calls `visit` with the Element of the type.
template <typename Visit>
void with_element(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::kFloat32:
      return visit(Element<float, DType::kFloat32>());
    case DType::kFloat64:
      return visit(Element<double, DType::kFloat64>());
    case DType::kFloat16:
      return visit(Element<std::uint16_t, DType::kFloat16>());
    case DType::kBfloat16:
      return visit(Element<std::uint16_t, DType::kBfloat16>());
    case DType::kUint8:
      return visit(Element<std::uint8_t, DType::kUint8>());
    case DType::kBool:
      return visit(Element<std::uint8_t, DType::kBool>());
    case DType::kInt8:
      return visit(Element<std::int8_t, DType::kInt8>());
    case DType::kInt16:
      return visit(Element<std::int16_t, DType::kInt16>());
    case DType::kUint16:
      return visit(Element<std::uint16_t, DType::kUint16>());
    case DType::kInt32:
      return visit(Element<std::int32_t, DType::kInt32>());
    case DType::kUint32:
      return visit(Element<std::uint32_t, DType::kUint32>());
    case DType::kInt64:
      return visit(Element<std::int64_t, DType::kInt64>());
    case DType::kUint64:
      return visit(Element<std::uint64_t, DType::kUint64>());
    case DType::kUnknown:
      break;
  }
  require(false, "element of unknown type");
}

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// A conversion that is defined for every value, out-of-range ones included.
template <typename T>
std::int64_t to_int(T value) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(value);
  } else {
    if (std::isnan(value)) return 0;
    if (value >= T{0x1p63}) return std::numeric_limits<std::int64_t>::max();
    if (value <= -T{0x1p63}) return std::numeric_limits<std::int64_t>::min();
    return static_cast<std::int64_t>(value);
  }
}

template <DType kType, typename Raw, typename Value>
Raw stored(Value value) {
  if constexpr (kType == DType::kFloat16) {
    return float_to_half(static_cast<float>(value));
  } else if constexpr (kType == DType::kBfloat16) {
    return float_to_bfloat16(static_cast<float>(value));
  } else if constexpr (kType == DType::kBool) {
    return value != 0 ? 1 : 0;
  } else if constexpr (std::is_floating_point_v<Raw>) {
    return static_cast<Raw>(value);
  } else {
    return static_cast<Raw>(to_int(value));
  }
}

// From what the elements are loaded as (float, double, int64 or uint64) to a type.
template <typename Value>
void store_all(std::span<const Value> values, DType dtype, std::byte* to) {
  with_element(dtype, [&]<typename Raw, DType kType>(Element<Raw, kType>) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Raw raw = stored<kType, Raw>(values[i]);
      std::memcpy(to + i * sizeof(Raw), &raw, sizeof(Raw));
    }
  });
}

}  // namespace

void convert_elements(DType from_type, std::span<const std::byte> from, DType to_type,
                      std::span<std::byte> to) {
  if (from.empty()) return;
  const std::size_t count = from.size() / dtype_size(from_type);
  require(to.size() == count * dtype_size(to_type), "conversion to as many elements");
  if (from_type == to_type) {
    std::memcpy(to.data(), from.data(), from.size());
    return;
  }
  if (from_type == DType::kFloat32 && to_type == DType::kFloat16)
    return floats_to_halves(from.data(), to.data(), count);
  if (from_type == DType::kFloat16 && to_type == DType::kFloat32)
    return halves_to_floats(from.data(), to.data(), count);
  const std::size_t to_size = dtype_size(to_type);
  with_element(from_type, [&]<typename Raw, DType kType>(Element<Raw, kType> element) {
    using Value = decltype(element.load(Raw{}));
    std::array<Value, kBlock> block;
    for (std::size_t done = 0; done < count; done += kBlock) {
      const std::size_t step = std::min(kBlock, count - done);
      for (std::size_t i = 0; i < step; ++i)
        block[i] = element.load(load<Raw>(from.data() + (done + i) * sizeof(Raw)));
      store_all<Value>(std::span(block).first(step), to_type, to.data() + done * to_size);
    }
  });
}

}  // namespace mx2onnx
