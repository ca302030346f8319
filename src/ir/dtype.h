// Element types, as MXNet and ONNX both know them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mx2onnx {

/// The values below kUnknown are MXNet's type flags (mshadow/base.h), which files contain.
enum class DType : std::int8_t {
  kFloat32 = 0,
  kFloat64 = 1,
  kFloat16 = 2,
  kUint8 = 3,
  kInt32 = 4,
  kInt8 = 5,
  kInt64 = 6,
  kBool = 7,
  kInt16 = 8,
  kUint16 = 9,
  kUint32 = 10,
  kUint64 = 11,
  kBfloat16 = 12,
  kUnknown = 13,
};

/// NumPy's name: "float32", "bool"… and "unknown".
std::string_view dtype_name(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);
/// The type of an MXNet type flag; nothing for a flag that no MXNet has.
std::optional<DType> dtype_from_flag(std::int64_t flag);
/// Bytes of one element; 0 for kUnknown.
std::size_t dtype_size(DType dtype);

bool is_floating(DType dtype);
/// Integers, bool not included.
bool is_integer(DType dtype);
bool is_unsigned(DType dtype);

/// This and the next are what x86's and ARM's own instructions give, for NaN, too. Of many
/// elements: convert_elements.h.
float half_to_float(std::uint16_t bits);
/// Rounds to nearest, ties to even.
std::uint16_t float_to_half(float value);
float bfloat16_to_float(std::uint16_t bits);
std::uint16_t float_to_bfloat16(float value);

}  // namespace mx2onnx
