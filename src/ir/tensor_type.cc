#include "ir/tensor_type.h"

#include <algorithm>

namespace mx2onnx {

Shape Shape::of(const std::vector<std::int64_t>& sizes) {
  return Shape(std::vector<Dim>(sizes.begin(), sizes.end()));
}

bool Shape::known() const {
  return known_rank_ &&
         std::all_of(dims_.begin(), dims_.end(), [](const Dim& dim) { return dim.known(); });
}

bool Shape::is_static() const {
  return known_rank_ &&
         std::all_of(dims_.begin(), dims_.end(), [](const Dim& dim) { return dim.is_constant(); });
}

std::vector<std::int64_t> Shape::sizes() const {
  std::vector<std::int64_t> result;
  result.reserve(rank());
  for (const Dim& dim : dims_) result.push_back(dim.value());
  return result;
}

bool Shape::is_empty() const {
  return std::any_of(dims_.begin(), dims_.end(),
                     [](const Dim& dim) { return dim.is_constant() && dim.value() == 0; });
}

Dim Shape::count(std::size_t begin, std::size_t end) const {
  Dim product = 1;
  for (std::size_t axis = begin; axis < end; ++axis) product = product * dims_[axis];
  return product;
}

std::string Shape::to_string() const {
  if (!known_rank_) return "unknown";
  std::string text = "(";
  for (std::size_t axis = 0; axis < rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += dims_[axis].to_string();
  }
  return text + (rank() == 1 ? ",)" : ")");
}

std::string TensorType::to_string() const {
  return std::string(dtype_name(dtype)) + " " + shape.to_string();
}

std::optional<std::size_t> resolve_axis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) return std::nullopt;
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

}  // namespace mx2onnx
