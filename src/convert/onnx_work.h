// What nodes of ONNX compute.
#pragma once

#include <string_view>
#include <vector>

#include "convert/size_numbers.h"
#include "ir/tensor_type.h"

namespace mx2onnx {

struct OnnxWork {
  std::string_view op;
  std::vector<Shape> inputs;      ///< Of an input that is left out, of unknown rank.
  Shape output;                   ///< The first.
  bool transposes_first = false;  ///< The attribute transA.
};

/// Multiplications with an addition each, of convolutions, matrix products and recurrent layers; 0
/// for others, nothing if sizes are not known.
Number multiply_adds(const OnnxWork& node, const SizeEvaluator& size);

}  // namespace mx2onnx
