#include "onnx/eval_small.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "onnx/schema.h"

namespace mx2onnx::onnx {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr std::int64_t kMostElements = 1 << 16;

bool is_small(const Tensor& tensor) {
  std::int64_t count = 1;
  for (const auto dim : tensor.dims) {
    if (__builtin_mul_overflow(count, dim, &count)) return false;
  }
  return count <= kMostElements;
}

// Numbers without loss: as int64 or as double.
bool is_number(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kInt64 ||
         dtype == DType::kInt32;
}

std::optional<Ints> joint_dims(const Ints& a, const Ints& b) {
  Ints dims(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 1; i <= dims.size(); ++i) {
    const std::int64_t x = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t y = i <= b.size() ? b[b.size() - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    dims[dims.size() - i] = x == 1 ? y : x;
  }
  return dims;
}

// For each element of `dims`, the place of its element in a tensor that is spread over them.
std::vector<std::size_t> places(const Ints& dims, const Ints& own, std::size_t count) {
  std::vector<std::size_t> result(count, 0);
  std::size_t stride = 1;   // of the axis in the tensor
  std::size_t repeats = 1;  // of an index of the axis in the result
  for (std::size_t i = 1; i <= dims.size(); ++i) {
    const auto size = static_cast<std::size_t>(dims[dims.size() - i]);
    const std::int64_t own_size = i <= own.size() ? own[own.size() - i] : 1;
    if (own_size != 1) {
      for (std::size_t at = 0; at < count; ++at) result[at] += at / repeats % size * stride;
      stride *= size;
    }
    repeats *= size;
  }
  return result;
}

// A function of two tensors of one element type, spread over each other.
template <typename T, typename Result, typename Function>
std::optional<std::pair<Ints, std::vector<Result>>> combine(const Tensor& a, const Tensor& b,
                                                            const std::vector<T>& x,
                                                            const std::vector<T>& y,
                                                            const Function& function) {
  auto dims = joint_dims(a.dims, b.dims);
  if (!dims) return std::nullopt;
  const Tensor shape{DType::kBool, *dims, nullptr};
  if (!is_small(shape)) return std::nullopt;
  const auto count = static_cast<std::size_t>(shape.count());
  const auto from_x = places(*dims, a.dims, count);
  const auto from_y = places(*dims, b.dims, count);
  std::vector<Result> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = function(x[from_x[i]], y[from_y[i]]);
  return std::pair(std::move(*dims), std::move(values));
}

Tensor bools(Ints dims, const std::vector<char>& values) {
  std::vector<std::byte> bytes(values.size());
  std::transform(values.begin(), values.end(), bytes.begin(),
                 [](char value) { return std::byte{value != 0}; });
  return {DType::kBool, std::move(dims), std::make_shared<OwnedData>(std::move(bytes))};
}

Tensor numbers(DType dtype, Ints dims, const std::vector<double>& values) {
  return make_tensor_as(dtype, std::move(dims), values);
}

Tensor numbers(DType dtype, Ints dims, const Ints& values) {
  if (dtype == DType::kInt64) return make_tensor(std::move(dims), values);
  return make_tensor(std::move(dims), std::vector<std::int32_t>(values.begin(), values.end()));
}

template <typename T>
bool compares(std::string_view op, T a, T b) {
  if (op == "Equal") return a == b;
  if (op == "Less") return a < b;
  if (op == "LessOrEqual") return a <= b;
  if (op == "Greater") return a > b;
  return a >= b;
}

bool is_comparison(std::string_view op) {
  return op == "Equal" || op == "Less" || op == "LessOrEqual" || op == "Greater" ||
         op == "GreaterOrEqual";
}

template <typename T>
std::optional<Tensor> eval_two(std::string_view op, const Tensor& a, const Tensor& b,
                               const std::vector<T>& x, const std::vector<T>& y) {
  if (is_comparison(op)) {
    const auto made = combine<T, char>(
        a, b, x, y, [op](T left, T right) { return static_cast<char>(compares(op, left, right)); });
    if (!made) return std::nullopt;
    return bools(made->first, made->second);
  }
  const bool larger = op == "Max";
  const auto made = combine<T, T>(a, b, x, y, [larger](T left, T right) {
    return larger ? std::max(left, right) : std::min(left, right);
  });
  if (!made) return std::nullopt;
  return numbers(a.dtype, made->first, made->second);
}

bool has_nan(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

std::optional<Tensor> eval_two(std::string_view op, const Tensor& a, const Tensor& b) {
  if (a.dtype != b.dtype || !is_number(a.dtype)) return std::nullopt;
  if (is_integer(a.dtype)) return eval_two(op, a, b, read_ints(a), read_ints(b));
  const auto x = read_doubles(a);
  const auto y = read_doubles(b);
  if (has_nan(x) || has_nan(y)) return std::nullopt;
  return eval_two(op, a, b, x, y);
}

// Clip is Max with its lower bound, then Min with its upper one.
std::optional<Tensor> eval_clip(const std::vector<const Tensor*>& inputs) {
  std::optional<Tensor> result = *inputs[0];
  if (inputs.size() > 1) result = eval_two("Max", *result, *inputs[1]);
  if (result && inputs.size() > 2) result = eval_two("Min", *result, *inputs[2]);
  if (!result || result->dims != inputs[0]->dims) return std::nullopt;
  return result;
}

std::optional<Tensor> eval_range(const std::vector<const Tensor*>& inputs) {
  for (const Tensor* input : inputs) {
    if (input->dtype != DType::kInt64 || input->count() != 1) return std::nullopt;
  }
  const std::int64_t step = read_ints(*inputs[2])[0];
  std::int64_t span = 0;
  const std::int64_t start = read_ints(*inputs[0])[0];
  if (step < 1 || __builtin_sub_overflow(read_ints(*inputs[1])[0], start, &span))
    return std::nullopt;
  const std::int64_t count = span <= 0 ? 0 : (span - 1) / step + 1;
  if (count > kMostElements) return std::nullopt;
  Ints values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(start + i * step);
  return make_tensor({count}, values);
}

// Of numbers that the integers have.
std::optional<Tensor> eval_cast_to_int(const Node& node, const Tensor& x) {
  const std::int64_t to = node.int_attr("to", 0);
  const bool is_long = to == onnx_type_code(DType::kInt64);
  if (!is_floating(x.dtype) || (!is_long && to != onnx_type_code(DType::kInt32)))
    return std::nullopt;
  const double most = is_long ? std::ldexp(1.0, 62) : std::numeric_limits<std::int32_t>::max();
  Ints values;
  for (const double value : read_doubles(x)) {
    if (!(std::abs(value) <= most)) return std::nullopt;
    values.push_back(static_cast<std::int64_t>(value));
  }
  return numbers(is_long ? DType::kInt64 : DType::kInt32, x.dims, values);
}

std::optional<Tensor> eval_not(const Tensor& x) {
  if (x.dtype != DType::kBool) return std::nullopt;
  std::vector<char> values;
  for (const double value : read_doubles(x)) values.push_back(value == 0 ? 1 : 0);
  return bools(x.dims, values);
}

}  // namespace

std::optional<Tensor> evaluate_small(const Node& node, const std::vector<const Tensor*>& inputs) {
  if (!std::all_of(inputs.begin(), inputs.end(), [](const Tensor* x) { return is_small(*x); }))
    return std::nullopt;
  const std::string_view op = node.op_type;
  if (op == "Cast") return eval_cast_to_int(node, *inputs[0]);
  if (op == "Not") return eval_not(*inputs[0]);
  if (op == "Clip") return eval_clip(inputs);
  if (op == "Range" && inputs.size() == 3) return eval_range(inputs);
  const bool is_known = is_comparison(op) || op == "Max" || op == "Min";
  if (!is_known || inputs.size() != 2) return std::nullopt;
  return eval_two(op, *inputs[0], *inputs[1]);
}

}  // namespace mx2onnx::onnx
