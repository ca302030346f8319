#include "passes/half_weights.h"

#include <bit>
#include <cstring>

#include "ir/computed.h"
#include "ir/convert_elements.h"

namespace mx2onnx::passes {
namespace {

constexpr std::uint32_t kMagnitude = 0x7fffffff;  // all but the sign
constexpr std::uint32_t kInfinity = 0x7f800000;

std::uint32_t magnitude_at(std::span<const std::byte> floats, std::size_t i) {
  std::uint32_t bits;
  std::memcpy(&bits, floats.data() + i * sizeof(bits), sizeof(bits));
  return bits & kMagnitude;
}

// Magnitudes of floating numbers are in the order of their bits.
RoundingLosses losses_of(std::span<const std::byte> floats, DType half) {
  const auto largest = std::bit_cast<std::uint32_t>(largest_of(half));
  const auto smallest = std::bit_cast<std::uint32_t>(smallest_normal_of(half));
  std::uint32_t beyond = 0;
  std::uint32_t below = 0;
  for (std::size_t i = 0; i < floats.size() / sizeof(float); ++i) {
    const std::uint32_t magnitude = magnitude_at(floats, i);
    beyond += static_cast<std::uint32_t>(magnitude - largest - 1 < kInfinity - largest - 1);
    below += static_cast<std::uint32_t>(magnitude - 1 < smallest - 1);
  }
  return {{}, beyond, below};
}

void clamp(std::span<const std::byte> floats, DType half, std::span<std::byte> to) {
  const float largest = largest_of(half);
  for (std::size_t i = 0; i < floats.size() / sizeof(float); ++i) {
    const std::uint32_t magnitude = magnitude_at(floats, i);
    if (magnitude <= std::bit_cast<std::uint32_t>(largest) || magnitude >= kInfinity) continue;
    float value;
    std::memcpy(&value, floats.data() + i * sizeof(value), sizeof(value));
    value = value < 0 ? -largest : largest;
    const std::size_t size = dtype_size(half);
    convert_elements(DType::kFloat32, std::as_bytes(std::span(&value, 1)), half,
                     to.subspan(i * size, size));
  }
}

}  // namespace

float largest_of(DType half) { return half == DType::kFloat16 ? 65504.0F : 0x1.fep127F; }

float smallest_normal_of(DType half) { return half == DType::kFloat16 ? 0x1p-14F : 0x1p-126F; }

Tensor rounded_to(DType half, const Tensor& tensor, std::shared_ptr<RoundingLosses> losses) {
  return elementwise(half, tensor.dims, {tensor},
                     [half, losses = std::move(losses)](std::size_t first, const auto& from,
                                                        std::span<std::byte> to) {
                       convert_elements(DType::kFloat32, from[0], half, to);
                       const RoundingLosses here = losses_of(from[0], half);
                       if (here.clamped > 0) clamp(from[0], half, to);
                       // Whoever writes a weight reads it from front to back.
                       if (first == 0) losses->clamped = losses->subnormal = 0;
                       losses->clamped += here.clamped;
                       losses->subnormal += here.subnormal;
                     });
}

}  // namespace mx2onnx::passes
