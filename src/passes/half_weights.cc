#include "passes/half_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/interruption.h"

namespace mx2onnx::passes {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 14;  // elements

// Takes the bytes of float32 elements in any pieces, and hands on those of rounded ones.
class RoundingSink : public ByteSink {
 public:
  RoundingSink(DType half, RoundingLosses& losses, ByteSink& next)
      : half_(half),
        largest_(largest_of(half)),
        smallest_(smallest_normal_of(half)),
        losses_(losses),
        next_(next) {
    losses_.clamped = losses_.subnormal = 0;
  }

  void append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::size_t taken = std::min(bytes.size(), values_.size() * sizeof(float) - filled_);
      std::memcpy(reinterpret_cast<std::byte*>(values_.data()) + filled_, bytes.data(), taken);
      filled_ += taken;
      bytes = bytes.subspan(taken);
      if (filled_ == values_.size() * sizeof(float)) flush();
    }
  }

  void append_range(const MappedFile& file, std::size_t offset, std::size_t size) override {
    std::vector<std::byte> piece(std::min(size, kPiece * sizeof(float)));
    while (size > 0) {
      const auto part = std::span(piece).first(std::min(size, piece.size()));
      file.read(offset, part);
      append(part);
      offset += part.size();
      size -= part.size();
    }
  }

  void flush() {
    interruption_point();
    const std::size_t count = filled_ / sizeof(float);
    std::uint64_t clamped = 0;
    std::uint64_t subnormal = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const float magnitude = std::abs(values_[i]);
      clamped += static_cast<std::uint64_t>(magnitude > largest_ && std::isfinite(magnitude));
      subnormal += static_cast<std::uint64_t>(magnitude < smallest_ && magnitude > 0);
    }
    if (clamped > 0) {
      for (auto& value : values_) {
        if (std::isfinite(value)) value = std::clamp(value, -largest_, largest_);
      }
    }
    const auto round = half_ == DType::kFloat16 ? float_to_half : float_to_bfloat16;
    for (std::size_t i = 0; i < count; ++i) rounded_[i] = round(values_[i]);
    losses_.clamped += clamped;
    losses_.subnormal += subnormal;
    next_.append(std::as_bytes(std::span(rounded_).first(count)));
    filled_ = 0;
  }

 private:
  DType half_;
  float largest_;
  float smallest_;
  RoundingLosses& losses_;
  ByteSink& next_;
  std::vector<float> values_ = std::vector<float>(kPiece);
  std::vector<std::uint16_t> rounded_ = std::vector<std::uint16_t>(kPiece);
  std::size_t filled_ = 0;  // bytes of values_
};

}  // namespace

float largest_of(DType half) { return half == DType::kFloat16 ? 65504.0F : 0x1.fep127F; }

float smallest_normal_of(DType half) { return half == DType::kFloat16 ? 0x1p-14F : 0x1p-126F; }

Tensor rounded_to(DType half, const Tensor& tensor, std::shared_ptr<RoundingLosses> losses) {
  const std::size_t size = tensor.size_bytes() / sizeof(float) * dtype_size(half);
  auto produce = [half, data = tensor.data, losses = std::move(losses)](ByteSink& sink) {
    RoundingSink rounding(half, *losses, sink);
    data->write_to(rounding);
    rounding.flush();
  };
  return {half, tensor.dims, std::make_shared<ComputedData>(size, std::move(produce))};
}

}  // namespace mx2onnx::passes
