// Pieces that several families share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ops/op_def.h"
#include "ops/registry.h"

namespace mx2onnx {

/// A shape rule: the output has the input's shape and dtype, and the other way round.
template <typename P>
void infer_same(const P& /*params*/, InferContext& context) {
  context.unify_shapes();
  context.unify_dtypes();
}

/// Reshapes a per-channel vector of shape (C,) so that it broadcasts along `axis` of an array of
/// `rank` dimensions: (C, 1, 1) for axis 1 of 4.
onnx::Value along_axis(onnx::Builder& b, onnx::Value vector, std::size_t axis, std::size_t rank);

/// 0, 1, … rank - 1.
std::vector<std::int64_t> iota(std::size_t count);

/// The permutation that swaps two axes, or moves one axis to another place.
std::vector<std::int64_t> swap_perm(std::size_t rank, std::size_t a, std::size_t b);
std::vector<std::int64_t> move_perm(std::size_t rank, std::size_t from, std::size_t to);

}  // namespace mx2onnx
