#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "ir/computed.h"
#include "ir/turn_tile.h"

namespace mx2onnx {
namespace {

using Dims = std::vector<std::int64_t>;

// That are made at a time: of a matrix that is turned round as much of each line is read as makes
// reading fast, while all stays in a processor's own cache.
constexpr std::int64_t kMostRows = 512;
constexpr std::int64_t kGoodSize = std::int64_t{1} << 20;
constexpr std::int64_t kMostSize = std::int64_t{1} << 22;
constexpr std::int64_t kFewestRows = 16;

// Element offset + sum of index * stride of the source, for each index; at least two dimensions.
struct Layout {
  Dims dims;
  std::int64_t offset;
  Dims strides;

  std::int64_t columns() const { return dims.back(); }
  std::int64_t rows() const { return dims[dims.size() - 2]; }
  std::int64_t column_stride() const { return strides.back(); }
  std::int64_t row_stride() const { return strides[strides.size() - 2]; }
};

// Without axes of one element, and with one axis instead of two that go through the source alike.
Layout simplified(const Dims& dims, std::int64_t offset, const Dims& strides) {
  Layout layout{{}, offset, {}};
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    if (!layout.dims.empty() && layout.strides.back() == dims[i] * strides[i]) {
      layout.dims.back() *= dims[i];
      layout.strides.back() = strides[i];
      continue;
    }
    layout.dims.push_back(dims[i]);
    layout.strides.push_back(strides[i]);
  }
  while (layout.dims.size() < 2) {
    layout.dims.insert(layout.dims.begin(), 1);
    layout.strides.insert(layout.strides.begin(), 0);
  }
  return layout;
}

// Elements of a source whose bytes lie in memory or in a mapping.
template <typename T>
class ViewedSource {
 public:
  explicit ViewedSource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void read(std::int64_t first, T* to, std::int64_t count) const {
    std::memcpy(to, bytes_.data() + first * kSize, static_cast<std::size_t>(count * kSize));
  }
  void prefetch(std::int64_t first, std::int64_t count) const {
    const std::byte* const from = bytes_.data() + first * kSize;
    for (std::int64_t i = 0; i < count * kSize; i += 64) __builtin_prefetch(from + i, 0, 2);
  }
  void copy(std::int64_t start, std::int64_t row_stride, std::int64_t column_stride,
            std::int64_t rows, std::int64_t columns, T* to) const {
    const std::byte* const from = bytes_.data() + start * kSize;
    // Tiles stay in the nearest cache, whichever way they are read and written.
    for (std::int64_t column = 0; column < columns; column += kTile) {
      for (std::int64_t row = 0; row < rows; row += kTile) {
        copy_tile(from + (row * row_stride + column * column_stride) * kSize, row_stride,
                  column_stride, std::min(kTile, rows - row), std::min(kTile, columns - column),
                  to + row * columns + column, columns);
      }
    }
  }

 private:
  static constexpr std::int64_t kSize = sizeof(T);
  static constexpr std::int64_t kTile = 16;

  static void copy_tile(const std::byte* from, std::int64_t row_stride, std::int64_t column_stride,
                        std::int64_t rows, std::int64_t columns, T* to, std::int64_t to_stride) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        std::memcpy(to + row * to_stride + column,
                    from + (row * row_stride + column * column_stride) * kSize, sizeof(T));
      }
    }
  }

  std::span<const std::byte> bytes_;
};

// Elements of a source that is computed itself: as many at a time as lie side by side.
template <typename T>
class ComputedSource {
 public:
  explicit ComputedSource(const TensorData& data) : data_(data) {}

  void read(std::int64_t first, T* to, std::int64_t count) const {
    data_.read(static_cast<std::size_t>(first) * sizeof(T),
               std::as_writable_bytes(std::span(to, static_cast<std::size_t>(count))));
  }
  void prefetch(std::int64_t, std::int64_t) const {}
  void copy(std::int64_t start, std::int64_t row_stride, std::int64_t column_stride,
            std::int64_t rows, std::int64_t columns, T* to) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column)
        read(start + row * row_stride + column * column_stride, to + row * columns + column, 1);
    }
  }
  // All from the first to the last one, if that is not much more than what is wanted of it.
  std::vector<T> read_all(std::int64_t start, std::int64_t count, std::int64_t wanted) const {
    if (count > kMostApart * wanted) return {};
    std::vector<T> all(static_cast<std::size_t>(count));
    read(start, all.data(), count);
    return all;
  }

 private:
  static constexpr std::int64_t kMostApart = 4;

  const TensorData& data_;
};

// A matrix whose columns are the source's lines. A few lines are read one after the other, which
// is how memory and mappings like it, and then turned round.
template <typename T, typename Source>
void copy_turned(const Source& source, std::int64_t start, std::int64_t stride, std::int64_t rows,
                 std::int64_t columns, T* to) {
  constexpr std::int64_t kLines = kTileColumns<T>;
  constexpr std::int64_t kAhead = 6;
  alignas(64) std::array<T, kLines * kMostRows> lines;
  for (std::int64_t column = 0; column < columns; column += kLines) {
    const std::int64_t count = std::min(kLines, columns - column);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t line = column + i;
      if (line + kAhead < columns) source.prefetch(start + (line + kAhead) * stride, rows);
      source.read(start + line * stride, lines.data() + i * rows, rows);
    }
    const auto length = static_cast<std::size_t>(rows);
    turn_tile(lines.data(), length, length, static_cast<std::size_t>(count), to + column,
              static_cast<std::size_t>(columns));
  }
}

// Rows and columns of the source, at most kMostRows, one row behind the other.
template <typename T, typename Source>
void copy_rows(const Source& source, std::int64_t start, std::int64_t row_stride,
               std::int64_t column_stride, std::int64_t rows, std::int64_t columns, T* to) {
  const bool is_long = column_stride == 1 && (rows == 1 || columns >= kMostRows);
  if constexpr (std::is_same_v<Source, ComputedSource<T>>) {
    const std::int64_t apart = (rows - 1) * row_stride + (columns - 1) * column_stride + 1;
    const auto all = is_long ? std::vector<T>() : source.read_all(start, apart, rows * columns);
    if (!all.empty()) {
      const ViewedSource<T> view(std::as_bytes(std::span(all)));
      return copy_rows(view, 0, row_stride, column_stride, rows, columns, to);
    }
  }
  if (column_stride == 1) {
    for (std::int64_t row = 0; row < rows; ++row)
      source.read(start + row * row_stride, to + row * columns, columns);
    return;
  }
  if (row_stride == 1 && rows > 1)
    return copy_turned(source, start, column_stride, rows, columns, to);
  source.copy(start, row_stride, column_stride, rows, columns, to);
}

// Makes `count` elements from number `first` on. Several rows are made at a time, so that of a
// matrix that is turned round whole cache lines are used.
template <typename T, typename Source>
void fill(const Source& source, const Layout& layout, std::int64_t first, std::int64_t count,
          T* to) {
  const std::int64_t columns = layout.columns();
  const std::int64_t rows = layout.rows();
  const std::size_t outer = layout.dims.size() - 2;
  std::int64_t column = first % columns;
  std::int64_t row = first / columns % rows;
  Dims index(outer, 0);
  std::int64_t matrix = layout.offset;
  std::int64_t rest = first / columns / rows;
  for (std::size_t axis = outer; axis-- > 0;) {
    index[axis] = rest % layout.dims[axis];
    rest /= layout.dims[axis];
    matrix += index[axis] * layout.strides[axis];
  }
  while (count > 0) {
    const bool is_part = column > 0 || count < columns;
    const std::int64_t num_columns = is_part ? std::min(columns - column, count) : columns;
    const std::int64_t num_rows = is_part ? 1 : std::min({rows - row, count / columns, kMostRows});
    copy_rows(source, matrix + row * layout.row_stride() + column * layout.column_stride(),
              layout.row_stride(), layout.column_stride(), num_rows, num_columns, to);
    to += num_rows * num_columns;
    count -= num_rows * num_columns;
    column += num_columns;
    if (column < columns) break;
    column = 0;
    row += num_rows;
    if (row < rows) continue;
    row = 0;
    for (std::size_t axis = outer; axis-- > 0;) {
      matrix += layout.strides[axis];
      if (++index[axis] < layout.dims[axis]) break;
      matrix -= layout.strides[axis] * layout.dims[axis];
      index[axis] = 0;
    }
  }
}

template <typename T>
ComputedData::Fill filler(std::shared_ptr<const TensorData> data, Layout layout) {
  return [data = std::move(data), layout = std::move(layout)](std::size_t offset,
                                                              std::span<std::byte> to) {
    const auto first = static_cast<std::int64_t>(offset / sizeof(T));
    const auto count = static_cast<std::int64_t>(to.size() / sizeof(T));
    T* const elements = reinterpret_cast<T*>(to.data());
    if (const auto view = data->view())
      return fill<T>(ViewedSource<T>(*view), layout, first, count, elements);
    fill<T>(ComputedSource<T>(*data), layout, first, count, elements);
  };
}

ComputedData::Fill filler_of(const Tensor& from, Layout layout) {
  switch (dtype_size(from.dtype)) {
    case 1:
      return filler<std::uint8_t>(from.data, std::move(layout));
    case 2:
      return filler<std::uint16_t>(from.data, std::move(layout));
    case 4:
      return filler<std::uint32_t>(from.data, std::move(layout));
    default:
      return filler<std::uint64_t>(from.data, std::move(layout));
  }
}

}  // namespace

Tensor strided(const Tensor& from, std::vector<std::int64_t> dims, std::int64_t offset,
               const std::vector<std::int64_t>& strides) {
  Tensor result{from.dtype, std::move(dims), nullptr};
  Layout layout = simplified(result.dims, offset, strides);
  const auto element = static_cast<std::int64_t>(dtype_size(from.dtype));
  const std::int64_t row_size = std::max<std::int64_t>(layout.columns(), 1) * element;
  const std::int64_t good = kGoodSize / row_size / kFewestRows * kFewestRows;
  const std::int64_t rows =
      std::clamp<std::int64_t>(layout.rows(), 1, std::clamp(good, kFewestRows, kMostRows));
  const auto block = static_cast<std::size_t>(std::min(kMostSize, rows * row_size));
  const std::size_t size = static_cast<std::size_t>(result.count()) * dtype_size(from.dtype);
  result.data = std::make_shared<ComputedData>(
      size, filler_of(from, std::move(layout)),
      block * std::max<std::size_t>(1, TensorData::kPieceSize / block));
  return result;
}

}  // namespace mx2onnx
