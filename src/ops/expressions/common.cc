#include "ops/expressions/common.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {

void check_num_inputs(const InferContext& context, std::string_view attribute, std::int64_t count) {
  if (count != static_cast<std::int64_t>(context.num_inputs())) {
    fail(ErrorCode::kModel, fmt::format("attribute '{}': expected the number of inputs, {}, got {}",
                                        attribute, context.num_inputs(), count));
  }
}

onnx::Value along_axis(onnx::Builder& b, onnx::Value vector, std::size_t axis, std::size_t rank) {
  std::vector<Dim> dims(rank - axis, Dim(1));
  dims[0] = b.shape(vector).count();
  return onnx::reshape(b, vector, Shape(std::move(dims)));
}

std::pair<double, double> integer_range(DType dtype) {
  const int bits = static_cast<int>(8 * dtype_size(dtype)) - (is_unsigned(dtype) ? 0 : 1);
  return {is_unsigned(dtype) ? 0 : -std::ldexp(1.0, bits), std::ldexp(1.0, bits) - 1};
}

bool has_defined_value(double number, DType dtype) {
  if (!is_integer(dtype)) return true;
  const auto [least, largest] = integer_range(dtype_size(dtype) < 4 ? DType::kInt32 : dtype);
  // 2^63 - 1 is 2^63 as a double, which does not fit.
  const double cut = std::trunc(number);
  return cut >= least && (dtype == DType::kInt64 ? cut < largest : cut <= largest);
}

onnx::Value counting(onnx::Builder& b, const Dim& size) {
  // Longer ones are made at run time.
  constexpr std::int64_t kMostStored = 1 << 12;
  if (size.is_constant() && size.value() <= kMostStored) {
    return b.ints(iota(static_cast<std::size_t>(size.value())));
  }
  const std::string key = size.is_constant()
                              ? fmt::format("counting to {}", size.value())
                              : fmt::format("counting {}", static_cast<const void*>(size.expr()));
  if (const onnx::Value known = b.find_cached(key); known.present()) return known;
  const onnx::Value end = onnx::reshape(b, onnx::size_tensor(b, size), Shape(std::vector<Dim>{}));
  const onnx::Value range =
      b.emit("Range", {b.int_scalar(0), end, b.int_scalar(1)}, {}, {DType::kInt64, Shape{size}});
  b.remember(key, range);
  return range;
}

std::vector<std::int64_t> iota(std::size_t count) {
  std::vector<std::int64_t> result(count);
  std::iota(result.begin(), result.end(), std::int64_t{0});
  return result;
}

std::vector<std::int64_t> swap_perm(std::size_t rank, std::size_t a, std::size_t b) {
  auto perm = iota(rank);
  std::swap(perm[a], perm[b]);
  return perm;
}

std::vector<std::int64_t> move_perm(std::size_t rank, std::size_t from, std::size_t to) {
  auto perm = iota(rank);
  perm.erase(perm.begin() + static_cast<std::ptrdiff_t>(from));
  perm.insert(perm.begin() + static_cast<std::ptrdiff_t>(to), static_cast<std::int64_t>(from));
  return perm;
}

Shape declared_shape(const std::optional<Tuple>& shape, bool np_shape) {
  if (!shape || (shape->empty() && !np_shape)) return {};
  std::vector<Dim> dims;
  for (const auto size : *shape) {
    dims.push_back(size < 0 || (size == 0 && !np_shape) ? Dim() : Dim(size));
  }
  return Shape(std::move(dims));
}

}  // namespace mx2onnx
