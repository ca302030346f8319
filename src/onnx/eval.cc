#include "onnx/eval.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

#include "onnx/schema.h"

namespace mx2onnx::onnx {
namespace {

using Dims = std::vector<std::int64_t>;

std::int64_t count_of(const Dims& dims) {
  std::int64_t count = 1;
  for (const auto dim : dims) count *= dim;
  return count;
}

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

Tensor with_bytes(DType dtype, Dims dims, std::vector<std::byte> bytes) {
  return {dtype, std::move(dims), std::make_shared<OwnedData>(std::move(bytes))};
}

// Larger results than this are not kept but made while they are written.
constexpr std::size_t kMostKept = 1 << 20;

// A tensor whose bytes `produce` appends to a sink.
Tensor made_of(DType dtype, Dims dims, ComputedData::Producer produce) {
  const std::size_t size = static_cast<std::size_t>(count_of(dims)) * dtype_size(dtype);
  if (size > kMostKept) {
    return {dtype, std::move(dims), std::make_shared<ComputedData>(size, std::move(produce))};
  }
  MemorySink sink;
  sink.reserve(size);
  produce(sink);
  const std::string text = sink.take();
  const auto bytes = std::as_bytes(std::span(text));
  return with_bytes(dtype, std::move(dims), {bytes.begin(), bytes.end()});
}

constexpr std::int64_t kTile = 16;

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

// Appends the elements, each of type T, at offset + sum of index * stride, over all indices of
// `dims`. Several rows are made at a time, so that of a matrix that is turned round whole cache
// lines are used.
template <typename T>
void write_strided(std::span<const std::byte> from, Dims dims, std::int64_t offset, Dims strides,
                   ByteSink& sink) {
  while (dims.size() < 2) {
    dims.insert(dims.begin(), 1);
    strides.insert(strides.begin(), 0);
  }
  constexpr std::int64_t kSize = sizeof(T);
  constexpr std::int64_t kMostRows = 2 * kTile;
  constexpr std::int64_t kPiece = 1 << 16;
  const std::int64_t columns = dims.back();
  const std::int64_t rows = dims[dims.size() - 2];
  const std::int64_t row_stride = strides[dims.size() - 2];
  const std::int64_t column_stride = strides.back();
  const std::int64_t at_once =
      std::min(kMostRows, std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, columns)));
  // Of a row that is long only a piece is made at a time.
  const std::int64_t columns_at_once = at_once == 1 ? std::min(columns, kPiece) : columns;
  std::vector<T> piece(static_cast<std::size_t>(at_once * columns_at_once));
  const auto make = [&](std::int64_t start, std::int64_t num_rows, std::int64_t num_columns) {
    // Tiles stay in the nearest cache, whichever way they are read and written.
    for (std::int64_t column = 0; column < num_columns; column += kTile) {
      for (std::int64_t row = 0; row < num_rows; row += kTile) {
        copy_tile(from.data() + (start + row * row_stride + column * column_stride) * kSize,
                  row_stride, column_stride, std::min(kTile, num_rows - row),
                  std::min(kTile, num_columns - column), piece.data() + row * num_columns + column,
                  num_columns);
      }
    }
    sink.append(
        std::as_bytes(std::span(piece).first(static_cast<std::size_t>(num_rows * num_columns))));
  };
  const std::size_t outer = dims.size() - 2;
  Dims index(outer, 0);
  std::int64_t position = offset;
  std::int64_t matrices = count_of(dims) == 0 ? 0 : count_of({dims.begin(), dims.end() - 2});
  for (; matrices > 0; --matrices) {
    for (std::int64_t row = 0; row < rows; row += at_once) {
      for (std::int64_t column = 0; column < columns; column += columns_at_once) {
        make(position + row * row_stride + column * column_stride, std::min(at_once, rows - row),
             std::min(columns_at_once, columns - column));
      }
    }
    for (std::size_t axis = outer; axis-- > 0;) {
      position += strides[axis];
      if (++index[axis] < dims[axis]) break;
      position -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
}

// The elements of `from` at offset + sum of index * stride, over all indices of `dims`.
Tensor strided_copy(const Tensor& from, const Dims& dims, std::int64_t offset,
                    const Dims& strides) {
  return made_of(from.dtype, dims, [=](ByteSink& sink) {
    const TensorBytes raw(from);
    switch (dtype_size(from.dtype)) {
      case 1:
        return write_strided<std::uint8_t>(raw.bytes(), dims, offset, strides, sink);
      case 2:
        return write_strided<std::uint16_t>(raw.bytes(), dims, offset, strides, sink);
      case 4:
        return write_strided<std::uint32_t>(raw.bytes(), dims, offset, strides, sink);
      default:
        return write_strided<std::uint64_t>(raw.bytes(), dims, offset, strides, sink);
    }
  });
}

std::optional<Dims> broadcast_dims(const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

Tensor expand_to(const Tensor& tensor, const Dims& dims) {
  if (tensor.dims == dims) return tensor;
  const Dims own = strides_of(tensor.dims);
  Dims strides(dims.size(), 0);
  for (std::size_t i = 0; i < tensor.dims.size(); ++i) {
    const std::size_t at = dims.size() - tensor.dims.size() + i;
    strides[at] = tensor.dims[i] == 1 ? 0 : own[i];
  }
  return strided_copy(tensor, dims, 0, strides);
}

std::optional<double> float_result(std::string_view op, double a, double b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  return std::nullopt;
}

std::optional<std::int64_t> int_result(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = true;
  if (op == "Add") overflow = __builtin_add_overflow(a, b, &result);
  if (op == "Sub") overflow = __builtin_sub_overflow(a, b, &result);
  if (op == "Mul") overflow = __builtin_mul_overflow(a, b, &result);
  if (op == "Div" && b > 0) {
    overflow = false;
    result = a / b;
  }
  if (overflow) return std::nullopt;
  return result;
}

std::optional<Tensor> eval_binary(const Node& node, const Tensor& a, const Tensor& b) {
  const auto dims = broadcast_dims(a.dims, b.dims);
  if (!dims || a.dtype != b.dtype) return std::nullopt;
  // Asked before the loop, which an empty tensor never enters.
  if (!float_result(node.op_type, 1, 1)) return std::nullopt;
  const Tensor left = expand_to(a, *dims);
  const Tensor right = expand_to(b, *dims);
  // A double has more than twice the bits of a float, so rounding twice gives what rounding once
  // would.
  if (a.dtype == DType::kFloat32 || a.dtype == DType::kFloat64) {
    auto x = read_doubles(left);
    const auto y = read_doubles(right);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto result = float_result(node.op_type, x[i], y[i]);
      if (!result) return std::nullopt;
      x[i] = *result;
    }
    return make_tensor_as(a.dtype, *dims, x);
  }
  if (a.dtype != DType::kInt64) return std::nullopt;
  auto x = read_ints(left);
  const auto y = read_ints(right);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto result = int_result(node.op_type, x[i], y[i]);
    if (!result) return std::nullopt;
    x[i] = *result;
  }
  return make_tensor(*dims, x);
}

std::optional<Tensor> eval_sqrt(const Tensor& x) {
  if (x.dtype != DType::kFloat32 && x.dtype != DType::kFloat64) return std::nullopt;
  auto values = read_doubles(x);
  for (double& value : values) value = std::sqrt(value);
  return make_tensor_as(x.dtype, x.dims, values);
}

std::optional<Tensor> eval_cast(const Node& node, const Tensor& x) {
  for (std::int8_t i = 0; i < static_cast<std::int8_t>(DType::kUnknown); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (onnx_type_code(dtype) != node.int_attr("to", 0)) continue;
    // 64-bit integers do not all fit a double, and out-of-range floats have no portable value; but
    // whatever is not 0 is true.
    bool exact = is_floating(dtype) || !is_floating(x.dtype);
    if (x.dtype == DType::kInt64) exact = dtype == DType::kFloat32;
    if (x.dtype == DType::kUint64) exact = false;
    if (!exact && dtype != DType::kBool) return std::nullopt;
    return make_tensor_as(dtype, x.dims, read_doubles(x));
  }
  return std::nullopt;
}

Tensor eval_transpose(const Node& node, const Tensor& x) {
  const auto perm = node.ints_attr("perm");
  const Dims own = strides_of(x.dims);
  Dims dims;
  Dims strides;
  for (const auto axis : perm) {
    dims.push_back(x.dims[static_cast<std::size_t>(axis)]);
    strides.push_back(own[static_cast<std::size_t>(axis)]);
  }
  return strided_copy(x, dims, 0, strides);
}

std::optional<Tensor> eval_reshape(const Node& node, const Tensor& x, const Tensor& shape) {
  Dims dims = read_ints(shape);
  const bool has_zero = std::find(dims.begin(), dims.end(), 0) != dims.end();
  if (has_zero && node.int_attr("allowzero", 0) != 0) return std::nullopt;
  std::int64_t known = 1;
  std::size_t rest = dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && i < x.dims.size()) dims[i] = x.dims[i];
    if (dims[i] == -1) {
      rest = i;
    } else {
      known *= dims[i];
    }
  }
  if (rest < dims.size()) {
    if (known == 0) return std::nullopt;
    dims[rest] = x.count() / known;
  }
  if (count_of(dims) != x.count()) return std::nullopt;
  return Tensor{x.dtype, dims, x.data};
}

std::optional<Tensor> eval_concat(const Node& node, const std::vector<const Tensor*>& inputs) {
  const auto axis = resolve_axis(node.int_attr("axis", 0), inputs[0]->dims.size());
  if (!axis) return std::nullopt;
  Dims dims = inputs[0]->dims;
  dims[*axis] = 0;
  std::size_t outer = 1;
  for (std::size_t i = 0; i < *axis; ++i) outer *= static_cast<std::size_t>(dims[i]);
  std::vector<Tensor> parts;
  for (const Tensor* input : inputs) {
    dims[*axis] += input->dims[*axis];
    parts.push_back(*input);
  }
  return made_of(parts[0].dtype, dims, [parts, outer](ByteSink& sink) {
    std::vector<TensorBytes> raw(parts.begin(), parts.end());
    for (std::size_t block = 0; block < outer; ++block) {
      for (const TensorBytes& part : raw) {
        const std::size_t size = part.bytes().size() / outer;
        sink.append(part.bytes().subspan(block * size, size));
      }
    }
  });
}

std::optional<Tensor> eval_gather(const Node& node, const Tensor& x, const Tensor& indices) {
  // Of the forms that appear in shape arithmetic: elements of a vector.
  if (x.dims.size() != 1 || node.int_attr("axis", 0) != 0) return std::nullopt;
  const TensorBytes raw(x);
  const std::size_t element = dtype_size(x.dtype);
  std::vector<std::byte> bytes;
  for (auto index : read_ints(indices)) {
    if (index < 0) index += x.dims[0];
    if (index < 0 || index >= x.dims[0]) return std::nullopt;
    const auto part = raw.bytes().subspan(static_cast<std::size_t>(index) * element, element);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return with_bytes(x.dtype, indices.dims, std::move(bytes));
}

// Slices forward; the sizes of the result follow ONNX's clamping.
std::optional<Tensor> eval_slice(const std::vector<const Tensor*>& inputs) {
  const Tensor& x = *inputs[0];
  const Dims starts = read_ints(*inputs[1]);
  const Dims ends = read_ints(*inputs[2]);
  const Dims axes = read_ints(*inputs[3]);
  const Dims steps = inputs.size() > 4 ? read_ints(*inputs[4]) : Dims(axes.size(), 1);
  if (starts.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size())
    return std::nullopt;
  Dims dims = x.dims;
  Dims strides = strides_of(x.dims);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = resolve_axis(axes[i], x.dims.size());
    if (!axis || steps[i] < 1) return std::nullopt;
    const std::int64_t size = dims[*axis];
    const auto clamped = [size](std::int64_t at) {
      return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
    };
    const std::int64_t start = clamped(starts[i]);
    const std::int64_t span = std::max<std::int64_t>(clamped(ends[i]) - start, 0);
    dims[*axis] = span / steps[i] + (span % steps[i] != 0 ? 1 : 0);
    offset += start * strides[*axis];
    strides[*axis] *= dims[*axis] > 1 ? steps[i] : 0;  // a step may be as large as the type
  }
  if (count_of(dims) == 0) offset = 0;
  return strided_copy(x, dims, offset, strides);
}

std::optional<Tensor> eval_fill(const Node& node, const Tensor& shape) {
  const Attribute* value = node.find("value");
  const auto* tensor = value == nullptr ? nullptr : std::get_if<Tensor>(&value->value);
  const Dims dims = read_ints(shape);
  if (tensor == nullptr) return std::nullopt;
  return strided_copy(*tensor, dims, 0, Dims(dims.size(), 0));
}

}  // namespace

std::optional<Tensor> evaluate(const Node& node, const std::vector<const Tensor*>& inputs) {
  if (!node.domain.empty()) return {};
  const std::string_view op = node.op_type;
  if (inputs.empty() || std::find(inputs.begin(), inputs.end(), nullptr) != inputs.end())
    return std::nullopt;
  const Tensor& x = *inputs[0];
  if (op == "Identity") return x;
  if (op == "Sqrt") return eval_sqrt(x);
  if (op == "Cast") return eval_cast(node, x);
  if (op == "Transpose") return eval_transpose(node, x);
  if (op == "Concat") return eval_concat(node, inputs);
  if (op == "ConstantOfShape") return eval_fill(node, x);
  if (op == "Slice" && inputs.size() >= 4) return eval_slice(inputs);
  if (inputs.size() != 2) return std::nullopt;
  if (op == "Reshape") return eval_reshape(node, x, *inputs[1]);
  if (op == "Gather") return eval_gather(node, x, *inputs[1]);
  if (op == "Expand") {
    const auto dims = broadcast_dims(x.dims, read_ints(*inputs[1]));
    if (!dims) return std::nullopt;
    return expand_to(x, *dims);
  }
  return eval_binary(node, x, *inputs[1]);
}

}  // namespace mx2onnx::onnx
