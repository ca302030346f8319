// Weights of a convolution or dense layer as oneDNN's fused operators quantise them when they run
// first: BatchNorm goes into them, then they become int8, and the bias int32.
#pragma once

#include <optional>
#include <vector>

#include "ir/tensor.h"

namespace mx2onnx {

/// Vectors of an element per channel.
struct NormValues {
  std::vector<double> gamma, beta, mean, variance;
  double epsilon = 0;
};

/// float32 weights in the file, a channel per index of axis 0.
struct FloatWeights {
  Tensor weight;
  std::int64_t groups = 1;         ///< Of channels, a divisor of their number.
  std::vector<double> bias;        ///< Empty: none.
  std::optional<NormValues> norm;  ///< Of as many channels.
};

struct QuantizedWeights {
  Tensor weight;             ///< int8, made while it is written.
  std::vector<float> scale;  ///< What weights are multiplied by: per channel, or of one element.
  std::vector<float> bias;   ///< With BatchNorm in it, not quantised. Empty: none.
  float least = 0;           ///< Of all weights, with BatchNorm in them.
  float most = 0;
};

/// `data_scale` is what data is multiplied by: scales are so small that the bias, multiplied by
/// both scales, has at most 2^30 (GetWeightScales of mkldnn_common.h). Where it is not known, they
/// are for any data with magnitudes of at least 1/8. Vectors are as long as the weight has
/// channels.
QuantizedWeights quantize_weights(const FloatWeights& weights, bool by_channel,
                                  std::optional<float> data_scale);

/// float32 weights with BatchNorm in them, made while they are written. There is a `norm`.
Tensor folded_weight(const FloatWeights& weights);

}  // namespace mx2onnx
