// A matrix that is turned round in tiles, a register of elements at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace mx2onnx {

/// How many columns of a result fill a line of a processor's cache: what `turn_tile` is best asked
/// for.
template <typename T>
constexpr std::size_t kTileColumns = 64 / sizeof(T);

namespace turn_tile_detail {

template <typename T>
struct RegisterOf {
  using Type [[gnu::vector_size(16)]] = T;
};
template <typename T>
using Register = RegisterOf<T>::Type;
template <typename T>
constexpr std::size_t kLanes = 16 / sizeof(T);

// a0 b0 a1 b1 … of the first halves of a and b, or of the second ones.
template <typename T, std::size_t kFirst, std::size_t... kLane>
Register<T> interleaved(Register<T> a, Register<T> b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, (kFirst + kLane / 2 + kLane % 2 * kLanes<T>)...);
}

// As many registers as each has elements: a square, turned round where it lies. Each round puts
// the element that is half as many registers below behind the one above, after all of which what
// was below stands beside.
template <typename T>
void turn_square(std::array<Register<T>, kLanes<T>>& square) {
  constexpr std::size_t kHalf = kLanes<T> / 2;
  constexpr auto kAll = std::make_index_sequence<kLanes<T>>();
  for (std::size_t round = 1; round < kLanes<T>; round *= 2) {
    const auto before = square;
    for (std::size_t i = 0; i < kHalf; ++i) {
      square[2 * i] = interleaved<T, 0>(before[i], before[i + kHalf], kAll);
      square[2 * i + 1] = interleaved<T, kHalf>(before[i], before[i + kHalf], kAll);
    }
  }
}

}  // namespace turn_tile_detail

/// Copies `rows` elements of each of `columns` lines, which are `stride` apart, to as many rows,
/// which are `to_stride` apart: element r of line c becomes element c of row r.
template <typename T>
void turn_tile(const T* lines, std::size_t stride, std::size_t rows, std::size_t columns, T* to,
               std::size_t to_stride) {
  using namespace turn_tile_detail;
  constexpr std::size_t kSide = kLanes<T>;
  std::size_t row = 0;
  if (columns == kTileColumns<T>) {
    for (; row + kSide <= rows; row += kSide) {
      for (std::size_t column = 0; column < kTileColumns<T>; column += kSide) {
        std::array<Register<T>, kSide> square;
        for (std::size_t i = 0; i < kSide; ++i)
          std::memcpy(&square[i], lines + (column + i) * stride + row, sizeof(square[i]));
        turn_square<T>(square);
        for (std::size_t i = 0; i < kSide; ++i)
          std::memcpy(to + (row + i) * to_stride + column, &square[i], sizeof(square[i]));
      }
    }
  }
  for (; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column)
      to[row * to_stride + column] = lines[column * stride + row];
  }
}

}  // namespace mx2onnx
