// Shapes over Dims, and the type of a tensor: element type and shape, either of which may be
// unknown in part.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "ir/dim.h"
#include "ir/dtype.h"

namespace mx2onnx {

class Shape {
 public:
  /// A shape of unknown rank.
  Shape() = default;
  Shape(std::initializer_list<Dim> dims) : known_rank_(true), dims_(dims) {}
  explicit Shape(std::vector<Dim> dims) : known_rank_(true), dims_(std::move(dims)) {}
  static Shape of(const std::vector<std::int64_t>& sizes);
  static Shape unknown_dims(std::size_t rank) { return Shape(std::vector<Dim>(rank)); }

  bool known_rank() const { return known_rank_; }
  std::size_t rank() const { return dims_.size(); }
  /// Rank and every dimension are known.
  bool known() const;
  /// Every dimension is a number.
  bool is_static() const;
  /// The numbers of a static shape.
  std::vector<std::int64_t> sizes() const;

  const std::vector<Dim>& dims() const { return dims_; }
  const Dim& operator[](std::size_t axis) const { return dims_[axis]; }
  Dim& operator[](std::size_t axis) { return dims_[axis]; }

  /// A dimension is the number 0: there are no elements.
  bool is_empty() const;

  /// Product of the dims in [begin, end); 1 for an empty range.
  Dim count(std::size_t begin, std::size_t end) const;
  Dim count() const { return count(0, rank()); }

  /// "(1, 3, height, ?)" as MXNet writes shapes; "unknown" for an unknown rank.
  std::string to_string() const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  bool known_rank_ = false;
  std::vector<Dim> dims_;
};

struct TensorType {
  DType dtype = DType::kUnknown;
  Shape shape;

  bool known() const { return dtype != DType::kUnknown && shape.known(); }
  /// "float32 (1, 3, 224, 224)".
  std::string to_string() const;
};

/// Turns an axis counted from the end into one counted from the start. Nothing if it is outside
/// [-rank, rank).
std::optional<std::size_t> resolve_axis(std::int64_t axis, std::size_t rank);

}  // namespace mx2onnx
