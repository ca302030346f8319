#include "onnx/eval.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "ir/computed.h"
#include "onnx/eval_small.h"
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
  return strided(tensor, dims, 0, strides);
}

enum class Arithmetic { kAdd, kSub, kMul, kDiv };

std::optional<Arithmetic> arithmetic_of(std::string_view op) {
  if (op == "Add") return Arithmetic::kAdd;
  if (op == "Sub") return Arithmetic::kSub;
  if (op == "Mul") return Arithmetic::kMul;
  if (op == "Div") return Arithmetic::kDiv;
  return std::nullopt;
}

template <typename T>
T float_result(Arithmetic op, T a, T b) {
  switch (op) {
    case Arithmetic::kAdd:
      return a + b;
    case Arithmetic::kSub:
      return a - b;
    case Arithmetic::kMul:
      return a * b;
    case Arithmetic::kDiv:
      break;
  }
  return a / b;
}

std::optional<std::int64_t> int_result(Arithmetic op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = true;
  if (op == Arithmetic::kAdd) overflow = __builtin_add_overflow(a, b, &result);
  if (op == Arithmetic::kSub) overflow = __builtin_sub_overflow(a, b, &result);
  if (op == Arithmetic::kMul) overflow = __builtin_mul_overflow(a, b, &result);
  if (op == Arithmetic::kDiv && b > 0) {
    overflow = false;
    result = a / b;
  }
  if (overflow) return std::nullopt;
  return result;
}

template <typename T>
std::span<const T> elements(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
std::span<T> elements(std::span<std::byte> bytes) {
  return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
Tensor float_arithmetic(Arithmetic op, const Tensor& a, const Tensor& b) {
  return elementwise(a.dtype, a.dims, {a, b}, [op](std::size_t, const auto& from, auto to) {
    const auto x = elements<T>(from[0]);
    const auto y = elements<T>(from[1]);
    const auto result = elements<T>(to);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = float_result(op, x[i], y[i]);
  });
}

// Nothing if one of the results does not fit, or is a division that languages do differently.
std::optional<Tensor> int_arithmetic(Arithmetic op, const Tensor& a, const Tensor& b) {
  using Int = std::int64_t;
  const auto fails = [op](std::size_t, const auto& from, auto to) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      const auto result = int_result(op, elements<Int>(from[0])[i], elements<Int>(from[1])[i]);
      to[i] = std::byte{!result};
    }
  };
  bool any_fails = false;
  elementwise(DType::kBool, a.dims, {a, b}, fails).data->for_each_piece([&](auto piece) {
    any_fails = any_fails || std::find(piece.begin(), piece.end(), std::byte{1}) != piece.end();
  });
  if (any_fails) return std::nullopt;
  return elementwise(a.dtype, a.dims, {a, b}, [op](std::size_t, const auto& from, auto to) {
    const auto result = elements<Int>(to);
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = *int_result(op, elements<Int>(from[0])[i], elements<Int>(from[1])[i]);
  });
}

std::optional<Tensor> eval_binary(const Node& node, const Tensor& a, const Tensor& b) {
  const auto dims = broadcast_dims(a.dims, b.dims);
  const auto op = arithmetic_of(node.op_type);
  if (!dims || a.dtype != b.dtype || !op) return std::nullopt;
  const Tensor left = expand_to(a, *dims);
  const Tensor right = expand_to(b, *dims);
  if (a.dtype == DType::kFloat32) return float_arithmetic<float>(*op, left, right);
  if (a.dtype == DType::kFloat64) return float_arithmetic<double>(*op, left, right);
  if (a.dtype != DType::kInt64) return std::nullopt;
  return int_arithmetic(*op, left, right);
}

template <typename T>
Tensor square_root(const Tensor& x) {
  return elementwise(x.dtype, x.dims, {x}, [](std::size_t, const auto& from, auto to) {
    const auto values = elements<T>(from[0]);
    const auto result = elements<T>(to);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = std::sqrt(values[i]);
  });
}

std::optional<Tensor> eval_sqrt(const Tensor& x) {
  if (x.dtype == DType::kFloat32) return square_root<float>(x);
  if (x.dtype == DType::kFloat64) return square_root<double>(x);
  return std::nullopt;
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
    return cast(x, dtype);
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
  return strided(x, dims, 0, strides);
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
  for (const Tensor* input : inputs) dims[*axis] += input->dims[*axis];
  std::vector<DataPart> parts;
  for (const Tensor* input : inputs)
    parts.push_back({input->data, 0, outer == 0 ? 0 : input->size_bytes() / outer});
  return Tensor{inputs[0]->dtype, dims, joined(std::move(parts), outer)};
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
  return strided(x, dims, offset, strides);
}

std::optional<Tensor> eval_fill(const Node& node, const Tensor& shape) {
  const Attribute* value = node.find("value");
  const auto* tensor = value == nullptr ? nullptr : std::get_if<Tensor>(&value->value);
  const Dims dims = read_ints(shape);
  if (tensor == nullptr) return std::nullopt;
  return strided(*tensor, dims, 0, Dims(dims.size(), 0));
}

// The same elements, without axes of size 1 or with more of them.
std::optional<Tensor> eval_axes(const Node& node, const std::vector<const Tensor*>& inputs) {
  const Tensor& x = *inputs[0];
  Dims axes = inputs.size() > 1 ? read_ints(*inputs[1]) : node.ints_attr("axes");
  const bool adds = node.op_type == "Unsqueeze";
  const std::size_t rank = x.dims.size() + (adds ? axes.size() : 0);
  std::vector<char> marked(rank, 0);
  for (const auto number : axes) {
    const auto axis = resolve_axis(number, rank);
    if (!axis || marked[*axis] != 0 || (!adds && x.dims[*axis] != 1)) return std::nullopt;
    marked[*axis] = 1;
  }
  if (axes.empty()) return std::nullopt;
  Dims dims;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    if (adds) {
      dims.push_back(marked[i] != 0 ? 1 : x.dims[next++]);
    } else if (marked[i] == 0) {
      dims.push_back(x.dims[i]);
    }
  }
  return Tensor{x.dtype, dims, x.data};
}

std::optional<Tensor> evaluate_known(const Node& node, const std::vector<const Tensor*>& inputs) {
  const std::string_view op = node.op_type;
  const Tensor& x = *inputs[0];
  if (op == "Identity") return x;
  if (op == "Sqrt") return eval_sqrt(x);
  if (op == "Cast") {
    auto result = eval_cast(node, x);
    return result ? std::move(result) : evaluate_small(node, inputs);
  }
  if (op == "Unsqueeze" || op == "Squeeze") return eval_axes(node, inputs);
  if (op == "Transpose") return eval_transpose(node, x);
  if (op == "Concat") return eval_concat(node, inputs);
  if (op == "ConstantOfShape") return eval_fill(node, x);
  if (op == "Slice" && inputs.size() >= 4) return eval_slice(inputs);
  if (auto result = evaluate_small(node, inputs)) return result;
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

}  // namespace

std::optional<Tensor> evaluate(const Node& node, const std::vector<const Tensor*>& inputs) {
  if (!node.domain.empty() || inputs.empty()) return std::nullopt;
  if (std::find(inputs.begin(), inputs.end(), nullptr) != inputs.end()) return std::nullopt;
  auto result = evaluate_known(node, inputs);
  if (result) *result = kept_if_small(std::move(*result));
  return result;
}

}  // namespace mx2onnx::onnx
