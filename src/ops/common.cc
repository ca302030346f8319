#include "ops/common.h"

#include <numeric>

#include "onnx/shape_expr.h"

namespace mx2onnx {

onnx::Value along_axis(onnx::Builder& b, onnx::Value vector, std::size_t axis, std::size_t rank) {
  std::vector<Dim> dims(rank - axis, Dim(1));
  dims[0] = b.shape(vector).count();
  return onnx::reshape(b, vector, Shape(std::move(dims)));
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

}  // namespace mx2onnx
