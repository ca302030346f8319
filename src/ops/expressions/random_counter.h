// Random numbers at run time for opsets of which ONNX Runtime has no kernel of RandomUniform:
// hashes of counters, as those of SplitMix64, that begin at random bits, which are what a Dropout
// keeps.
#pragma once

#include "onnx/builder.h"

namespace mx2onnx {

/// Draws arrays of one shape, each element in [0, 1) and independent of all others.
class RandomCounter {
 public:
  RandomCounter(onnx::Builder& b, Shape shape);

  /// With as many bits as the dtype (float32 or float64) holds. Within a loop, `round` is the
  /// number of its iteration, an int64 scalar.
  onnx::Value unit(onnx::Builder& b, DType dtype, onnx::Value round);

 private:
  Shape shape_;
  onnx::Value first_;  ///< One counter of each element.
  std::int64_t draws_ = 0;
};

}  // namespace mx2onnx
