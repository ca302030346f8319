// Pieces that several families share.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/record/op_def.h"
#include "ops/record/registry.h"

namespace mx2onnx {

/// A note on operators that sum.
constexpr std::string_view kHalfSumNote =
    "Of float16 MXNet on a CPU sums in float16, unless MXNET_SAFE_ACCUMULATION=1 is set: beyond "
    "2048 "
    "small numbers are lost, and beyond 65504 the sum is infinite. Here sums are made in float32.";

/// A shape rule: the output has the input's shape and dtype, and the other way round.
template <typename P>
void infer_same(const P& /*params*/, InferContext& context) {
  context.unify_shapes();
  context.unify_dtypes();
}

/// Fails with kModel unless the node has as many inputs as the attribute says, as MXNet does.
void check_num_inputs(const InferContext& context, std::string_view attribute, std::int64_t count);

/// Reshapes a per-channel vector of shape (C,) so that it broadcasts along `axis` of an array of
/// `rank` dimensions: (C, 1, 1) for axis 1 of 4.
onnx::Value along_axis(onnx::Builder& b, onnx::Value vector, std::size_t axis, std::size_t rank);

/// The least and the largest number of an integer dtype.
std::pair<double, double> integer_range(DType dtype);

/// True if an attribute's number, cut to an integer, is the same element of the dtype in MXNet as
/// here. MXNet converts as C++ does, for int8 and uint8 by way of int32, and what does not fit has
/// no defined value.
bool has_defined_value(double number, DType dtype);

/// 0, 1, … size - 1 as int64, (size).
onnx::Value counting(onnx::Builder& b, const Dim& size);

/// 0, 1, … rank - 1.
std::vector<std::int64_t> iota(std::size_t count);

/// The permutation that swaps two axes, or moves one axis to another place.
std::vector<std::int64_t> swap_perm(std::size_t rank, std::size_t a, std::size_t b);
std::vector<std::int64_t> move_perm(std::size_t rank, std::size_t from, std::size_t to);

/// The shape that an attribute declares. An unknown size is 0, as it had to be before NumPy
/// semantics, or there -1.
Shape declared_shape(const std::optional<Tuple>& shape, bool np_shape);

}  // namespace mx2onnx
