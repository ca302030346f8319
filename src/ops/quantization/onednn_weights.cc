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
#include <utility>

#include "ir/computed.h"

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

  /// oneDNN is told of one scale per group, and gets one per channel: it takes the first ones.
  std::size_t scale_of(std::size_t channel) const {
    return of_group < count ? channel / of_group : channel;
  }
};

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

std::int8_t as_int8(float value) {
  constexpr float kLeast = -128;
  constexpr float kMost = 127;
  // What is not a number is cut as oneDNN cuts it, to the least.
  const float whole = std::nearbyint(std::isnan(value) ? kLeast : std::clamp(value, kLeast, kMost));
  return static_cast<std::int8_t>(whole);
}

const float* floats(std::span<const std::byte> bytes) {
  return reinterpret_cast<const float*>(bytes.data());
}

// The weight as int8: each element times its channel's factor, and that times its scale.
Tensor int8_weight(const Tensor& weight, const Channels& channels, std::vector<float> factors,
                   std::vector<float> scale) {
  return elementwise(DType::kInt8, weight.dims, {weight},
                     [channels, factors = std::move(factors), scale = std::move(scale)](
                         std::size_t first, const auto& from, std::span<std::byte> to) {
                       const float* values = floats(from[0]);
                       for (std::size_t i = 0; i < to.size(); ++i) {
                         const std::size_t c = (first + i) / channels.size;
                         const float factor = factors.empty() ? 1 : factors[c];
                         const float by =
                             scale.size() == 1 ? scale[0] : scale[channels.scale_of(c)];
                         to[i] = static_cast<std::byte>(as_int8(values[i] * factor * by));
                       }
                     });
}

/// Of each channel, with BatchNorm in it.
struct Extremes {
  std::vector<float> least;
  std::vector<float> most;
};

Extremes extremes(const Tensor& weight, const Channels& channels,
                  const std::vector<float>& factors) {
  Extremes found{std::vector<float>(channels.count, std::numeric_limits<float>::max()),
                 std::vector<float>(channels.count, std::numeric_limits<float>::lowest())};
  std::size_t i = 0;
  weight.data->for_each_piece([&](std::span<const std::byte> piece) {
    for (std::size_t at = 0; at < piece.size(); at += sizeof(float), ++i) {
      float value = 0;
      std::memcpy(&value, piece.data() + at, sizeof(float));
      const std::size_t c = i / channels.size;
      if (!factors.empty()) value *= factors[c];
      found.least[c] = std::min(found.least[c], value);
      found.most[c] = std::max(found.most[c], value);
    }
  });
  return found;
}

}  // namespace

QuantizedWeights quantize_weights(const FloatWeights& weights, bool by_channel,
                                  std::optional<float> data_scale) {
  const Tensor& weight = weights.weight;
  const auto count = static_cast<std::size_t>(weight.dims[0]);
  const Channels channels{count, static_cast<std::size_t>(weight.count()) / count,
                          count / static_cast<std::size_t>(weights.groups)};
  const auto factors = weights.norm ? norm_factors(*weights.norm) : std::vector<float>();
  const Extremes found = extremes(weight, channels, factors);
  QuantizedWeights result;
  result.bias = bias_of(weights, factors);
  result.least = *std::min_element(found.least.begin(), found.least.end());
  result.most = *std::max_element(found.most.begin(), found.most.end());
  if (!by_channel) result.scale = {scale_of(result.least, result.most)};
  for (std::size_t c = 0; c < count && by_channel; ++c) {
    const bool is_zero = found.least[c] == 0 && found.most[c] == 0;
    const float bias = result.bias.empty() ? 0 : result.bias[c];
    result.scale.push_back(std::min(scale_of(found.least[c], found.most[c]),
                                    largest_scale(bias, is_zero, data_scale)));
  }
  result.weight = int8_weight(weight, channels, factors, result.scale);
  return result;
}

Tensor folded_weight(const FloatWeights& weights) {
  const Tensor& weight = weights.weight;
  const auto factors = norm_factors(*weights.norm);
  const std::size_t size = static_cast<std::size_t>(weight.count()) / factors.size();
  return elementwise(weight.dtype, weight.dims, {weight},
                     [factors, size](std::size_t first, const auto& from, std::span<std::byte> to) {
                       const float* values = floats(from[0]);
                       auto* made = reinterpret_cast<float*>(to.data());
                       for (std::size_t i = 0; i < to.size() / sizeof(float); ++i)
                         made[i] = values[i] * factors[(first + i) / size];
                     });
}

}  // namespace mx2onnx
