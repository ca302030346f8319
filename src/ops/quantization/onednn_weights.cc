// See onednn_weights.h. All arithmetic is float32, in MXNet's order (UpdateConvWeightBias and
// GetWeightScales), but for BatchNorm's factors, for which epsilon is a double. The largest weight
// becomes 127 or 128 steps by the last bit of these.
#include "ops/quantization/onednn_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace mx2onnx {
namespace {

constexpr float kInt8Levels = 127.5F;
constexpr auto kLargestInt = static_cast<float>(std::numeric_limits<std::int32_t>::max());

// Without data to go by. A weight of nothing but zeros has any scale: one that leaves the bias
// enough digits, whatever the data.
constexpr float kMostScaledBias = 1 << 20;
constexpr float kScaledBiasOfZeros = 1 << 13;

struct Channels {
  std::size_t count;
  std::size_t size;  ///< Elements of each.
  std::size_t of_group;
};

float element(std::span<const std::byte> bytes, std::size_t i) {
  float value = 0;
  std::memcpy(&value, bytes.data() + i * sizeof(float), sizeof(float));
  return value;
}

std::vector<float> norm_factors(const NormValues& norm) {
  std::vector<float> factors;
  for (std::size_t c = 0; c < norm.gamma.size(); ++c) {
    factors.push_back(
        static_cast<float>(norm.gamma[c] / std::sqrt(norm.variance[c] + norm.epsilon)));
  }
  return factors;
}

std::vector<float> bias_of(const FloatWeights& weights, const std::vector<float>& factors) {
  std::vector<float> bias(weights.bias.begin(), weights.bias.end());
  if (!weights.norm) return bias;
  const NormValues& norm = *weights.norm;
  const bool has_bias = !bias.empty();
  bias.resize(factors.size());
  for (std::size_t c = 0; c < factors.size(); ++c) {
    const auto mean = static_cast<float>(norm.mean[c]);
    const auto beta = static_cast<float>(norm.beta[c]);
    bias[c] = has_bias ? beta + factors[c] * (bias[c] - mean) : beta - factors[c] * mean;
  }
  return bias;
}

float scale_of(float least, float most) {
  const float largest = std::max(std::abs(least), std::abs(most));
  return largest != 0 ? kInt8Levels / largest : kLargestInt;
}

float largest_scale(float bias, bool is_zero, std::optional<float> data_scale) {
  if (bias == 0) return kLargestInt;
  if (data_scale) return kLargestInt / 2 / std::abs(bias) / *data_scale;
  return (is_zero ? kScaledBiasOfZeros : kMostScaledBias) / std::abs(bias);
}

std::byte as_int8(float value) {
  constexpr float kLeast = -128;
  constexpr float kMost = 127;
  // What is not a number is cut as oneDNN cuts it, to the least.
  const float whole = std::nearbyint(std::isnan(value) ? kLeast : std::clamp(value, kLeast, kMost));
  return static_cast<std::byte>(static_cast<std::int8_t>(whole));
}

void write_int8(std::span<const std::byte> bytes, const Channels& channels,
                const std::vector<float>& factors, const std::vector<float>& scale,
                ByteSink& sink) {
  constexpr std::size_t kPiece = 1 << 16;
  std::vector<std::byte> piece;
  piece.reserve(kPiece);
  const bool grouped = channels.of_group < channels.count;
  for (std::size_t c = 0; c < channels.count; ++c) {
    const float factor = factors.empty() ? 1 : factors[c];
    // oneDNN is told of one scale per group, and gets one per channel: it takes the first ones.
    const float by = scale.size() == 1 ? scale[0] : scale[grouped ? c / channels.of_group : c];
    for (std::size_t k = 0; k < channels.size; ++k) {
      piece.push_back(as_int8(element(bytes, c * channels.size + k) * factor * by));
      if (piece.size() < kPiece) continue;
      sink.append(piece);
      piece.clear();
    }
  }
  sink.append(piece);
}

}  // namespace

QuantizedWeights quantize_weights(const FloatWeights& weights, bool by_channel,
                                  std::optional<float> data_scale) {
  const Tensor& weight = weights.weight;
  const auto count = static_cast<std::size_t>(weight.dims[0]);
  const Channels channels{count, static_cast<std::size_t>(weight.count()) / count,
                          count / static_cast<std::size_t>(weights.groups)};
  const auto factors = weights.norm ? norm_factors(*weights.norm) : std::vector<float>();
  QuantizedWeights result;
  result.bias = bias_of(weights, factors);
  result.least = std::numeric_limits<float>::max();
  result.most = std::numeric_limits<float>::lowest();
  const TensorBytes raw(weight);
  for (std::size_t c = 0; c < count; ++c) {
    float least = std::numeric_limits<float>::max();
    float most = std::numeric_limits<float>::lowest();
    const float factor = factors.empty() ? 1 : factors[c];
    for (std::size_t k = 0; k < channels.size; ++k) {
      const float value = element(raw.bytes(), c * channels.size + k) * factor;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    result.least = std::min(result.least, least);
    result.most = std::max(result.most, most);
    if (!by_channel) continue;
    const bool is_zero = least == 0 && most == 0;
    const float bias = result.bias.empty() ? 0 : result.bias[c];
    result.scale.push_back(
        std::min(scale_of(least, most), largest_scale(bias, is_zero, data_scale)));
  }
  if (!by_channel) result.scale = {scale_of(result.least, result.most)};
  auto produce = [weight, channels, factors, scale = result.scale](ByteSink& sink) {
    const TensorBytes bytes(weight);
    write_int8(bytes.bytes(), channels, factors, scale, sink);
  };
  result.weight = {
      DType::kInt8, weight.dims,
      std::make_shared<ComputedData>(static_cast<std::size_t>(weight.count()), std::move(produce))};
  return result;
}

Tensor folded_weight(const FloatWeights& weights) {
  const Tensor& weight = weights.weight;
  auto produce = [weight, factors = norm_factors(*weights.norm)](ByteSink& sink) {
    const TensorBytes raw(weight);
    const std::size_t size = static_cast<std::size_t>(weight.count()) / factors.size();
    constexpr std::size_t kPiece = 1 << 14;
    std::vector<float> piece;
    for (std::size_t i = 0; i < factors.size() * size; ++i) {
      piece.push_back(element(raw.bytes(), i) * factors[i / size]);
      if (piece.size() < kPiece) continue;
      sink.append(std::as_bytes(std::span(piece)));
      piece.clear();
    }
    sink.append(std::as_bytes(std::span(piece)));
  };
  return {weight.dtype, weight.dims,
          std::make_shared<ComputedData>(weight.size_bytes(), std::move(produce))};
}

}  // namespace mx2onnx
