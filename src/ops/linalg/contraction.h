// Sums over axes that two arrays have in common, which a product of matrices is.
#pragma once

#include <cstddef>
#include <vector>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// The axes that are summed over, of the left and of the right side: as many of each.
struct ContractedAxes {
  std::vector<std::size_t> left;
  std::vector<std::size_t> right;
};

/// The axes of an array of `rank` dimensions that are not among `axes`, in order.
std::vector<std::size_t> other_axes(std::size_t rank, const std::vector<std::size_t>& axes);

/// Gives each side the sizes of the other's contracted axes, and the output those that are left,
/// the left side's first. `sizes_match` is false where MXNet does not compare the sizes.
void infer_contraction(InferContext& c, const ContractedAxes& axes, bool sizes_match = true);

/// The contraction, reshaped to `result`.
onnx::Value contract(onnx::Builder& b, onnx::Value left, onnx::Value right,
                     const ContractedAxes& axes, const Shape& result);

}  // namespace mx2onnx
