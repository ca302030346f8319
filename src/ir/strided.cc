#include <algorithm>
#include <array>
#include <utility>

#include "ir/computed.h"

namespace mx2onnx {
namespace {

using Dims = std::vector<std::int64_t>;

constexpr std::int64_t kTile = 16;
constexpr std::int64_t kMostRows = 2 * kTile;
constexpr std::int64_t kMostElements = 1 << 16;  // that are made at a time

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

// Copies rows and columns, at most kTile of each, to rows that are `to_stride` apart.
template <typename T>
void copy_tile(const std::byte* from, std::int64_t row_stride, std::int64_t column_stride,
               std::int64_t rows, std::int64_t columns, T* to, std::int64_t to_stride) {
  constexpr std::int64_t kSize = sizeof(T);
  if (row_stride == 1 && rows == kTile && columns == kTile) {
    std::array<std::array<T, kTile>, kTile> tile;
    for (std::size_t column = 0; column < kTile; ++column) {
      std::memcpy(tile[column].data(),
                  from + static_cast<std::int64_t>(column) * column_stride * kSize,
                  sizeof(T) * kTile);
    }
    for (std::size_t row = 0; row < kTile; ++row) {
      T* const line = to + static_cast<std::int64_t>(row) * to_stride;
      for (std::size_t column = 0; column < kTile; ++column) line[column] = tile[column][row];
    }
    return;
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      std::memcpy(to + row * to_stride + column,
                  from + (row * row_stride + column * column_stride) * kSize, sizeof(T));
    }
  }
}

// Elements of a source whose bytes lie in memory or in a mapping.
template <typename T>
class ViewedSource {
 public:
  explicit ViewedSource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void copy(std::int64_t start, std::int64_t row_stride, std::int64_t column_stride,
            std::int64_t rows, std::int64_t columns, T* to) const {
    constexpr std::int64_t kSize = sizeof(T);
    if (column_stride == 1) {
      for (std::int64_t row = 0; row < rows; ++row) {
        std::memcpy(to + row * columns, bytes_.data() + (start + row * row_stride) * kSize,
                    static_cast<std::size_t>(columns) * sizeof(T));
      }
      return;
    }
    // Tiles stay in the nearest cache, whichever way they are read and written.
    for (std::int64_t column = 0; column < columns; column += kTile) {
      for (std::int64_t row = 0; row < rows; row += kTile) {
        copy_tile(bytes_.data() + (start + row * row_stride + column * column_stride) * kSize,
                  row_stride, column_stride, std::min(kTile, rows - row),
                  std::min(kTile, columns - column), to + row * columns + column, columns);
      }
    }
  }

 private:
  std::span<const std::byte> bytes_;
};

// Elements of a source that is computed itself: as many at a time as lie side by side.
template <typename T>
class ComputedSource {
 public:
  explicit ComputedSource(const TensorData& data) : data_(data) {}

  void copy(std::int64_t start, std::int64_t row_stride, std::int64_t column_stride,
            std::int64_t rows, std::int64_t columns, T* to) const {
    // All of what lies between the first and the last one, if that is not much more.
    const std::int64_t apart = (rows - 1) * row_stride + (columns - 1) * column_stride + 1;
    if (apart <= kMostApart * rows * columns) {
      std::vector<T> all(static_cast<std::size_t>(apart));
      read(start, all.data(), apart);
      const ViewedSource<T> view(std::as_bytes(std::span(all)));
      return view.copy(0, row_stride, column_stride, rows, columns, to);
    }
    if (row_stride != 1) {
      for (std::int64_t row = 0; row < rows; ++row)
        copy_row(start + row * row_stride, column_stride, columns, to + row * columns);
      return;
    }
    std::vector<T> line(static_cast<std::size_t>(rows));
    for (std::int64_t column = 0; column < columns; ++column) {
      read(start + column * column_stride, line.data(), rows);
      for (std::int64_t row = 0; row < rows; ++row)
        to[row * columns + column] = line[static_cast<std::size_t>(row)];
    }
  }

 private:
  static constexpr std::int64_t kMostApart = 4;

  void copy_row(std::int64_t start, std::int64_t stride, std::int64_t columns, T* to) const {
    if (stride == 1) return read(start, to, columns);
    for (std::int64_t column = 0; column < columns; ++column)
      read(start + column * stride, to + column, 1);
  }
  void read(std::int64_t first, T* to, std::int64_t count) const {
    data_.read(static_cast<std::size_t>(first) * sizeof(T),
               std::as_writable_bytes(std::span(to, static_cast<std::size_t>(count))));
  }

  const TensorData& data_;
};

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
    source.copy(matrix + row * layout.row_stride() + column * layout.column_stride(),
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
  const std::int64_t columns = std::max<std::int64_t>(layout.columns(), 1);
  const std::int64_t rows = std::clamp<std::int64_t>(kMostElements / columns, 1, kMostRows);
  const std::size_t element = dtype_size(from.dtype);
  const std::size_t size = static_cast<std::size_t>(result.count()) * element;
  const std::size_t block =
      static_cast<std::size_t>(std::min(kMostElements, rows * columns)) * element;
  result.data = std::make_shared<ComputedData>(
      size, filler_of(from, std::move(layout)),
      block * std::max<std::size_t>(1, TensorData::kPieceSize / block));
  return result;
}

}  // namespace mx2onnx
