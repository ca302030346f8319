#include "ir/half_conversion.h"

#include <cstdint>
#include <cstring>

#include "ir/dtype.h"

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#define MX2ONNX_HAS_F16C 1
#endif

namespace mx2onnx {
namespace {

constexpr std::size_t kFloat = sizeof(float);
constexpr std::size_t kHalf = sizeof(std::uint16_t);

#if defined(MX2ONNX_HAS_F16C)

constexpr std::size_t kLanes = 8;

// Clang's __builtin_cpu_supports knows "f16c" from version 19 on.
bool cpu_has_f16c() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

bool has_f16c() {
  static const bool has = __builtin_cpu_supports("avx") != 0 && cpu_has_f16c();
  return has;
}

// How many elements were converted: all that fill a register.
__attribute__((target("avx,f16c"))) std::size_t narrow_in_registers(const std::byte* from,
                                                                    std::byte* to,
                                                                    std::size_t count) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m256 values = _mm256_loadu_ps(reinterpret_cast<const float*>(from + i * kFloat));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * kHalf),
                     _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT));
  }
  return i;
}

__attribute__((target("avx,f16c"))) std::size_t widen_in_registers(const std::byte* from,
                                                                   std::byte* to,
                                                                   std::size_t count) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * kHalf));
    _mm256_storeu_ps(reinterpret_cast<float*>(to + i * kFloat), _mm256_cvtph_ps(halves));
  }
  return i;
}

#else

bool has_f16c() { return false; }
std::size_t narrow_in_registers(const std::byte*, std::byte*, std::size_t) { return 0; }
std::size_t widen_in_registers(const std::byte*, std::byte*, std::size_t) { return 0; }

#endif

}  // namespace

void floats_to_halves(const std::byte* from, std::byte* to, std::size_t count) {
  for (std::size_t i = has_f16c() ? narrow_in_registers(from, to, count) : 0; i < count; ++i) {
    float value = 0;
    std::memcpy(&value, from + i * kFloat, kFloat);
    const std::uint16_t half = float_to_half(value);
    std::memcpy(to + i * kHalf, &half, kHalf);
  }
}

void halves_to_floats(const std::byte* from, std::byte* to, std::size_t count) {
  for (std::size_t i = has_f16c() ? widen_in_registers(from, to, count) : 0; i < count; ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, from + i * kHalf, kHalf);
    const float value = half_to_float(half);
    std::memcpy(to + i * kFloat, &value, kFloat);
  }
}

}  // namespace mx2onnx
