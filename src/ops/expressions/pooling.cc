// How Pooling is written in ONNX (src/operator/nn/pool.h).
//
// Under the convention `full` the last window may hang over the end of the padded input, or lie
// outside of it altogether. MXNet keeps it: max and sum see what there is; avg divides by the part
// of the window that lies in the padded input (or in the input, without count_include_pad). ONNX's
// ceil_mode drops a window that starts outside of the input, so it is used only where that cannot
// happen.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/pooling.h"

namespace mx2onnx {
Dim PoolParam::windows(std::size_t i, const Dim& size) const {
  const Dim padded = padded_size(size, pad_at(i), kernel[i]);
  switch (pooling_convention) {
    case Convention::kValid:
      return strided_size(size, kernel[i], stride_at(i), pad_at(i));
    case Convention::kFull:
      return ceil_div(padded - kernel[i], stride_at(i)) + 1;
    case Convention::kSame:
      return ceil_div(padded, stride_at(i));
    case Convention::kInside:
      return floor_div(padded - std::max<std::int64_t>(kernel[i] - stride_at(i) + 1, 1),
                       stride_at(i)) +
             1;
  }
  return {};
}

Shape pooled_shape(const PoolingParam& p, InferContext& c) {
  const Shape data = to_channels_first(c.input_shape(0), p.layout);
  const bool rank_fits =
      p.global_pool ? data.rank() >= 3 && data.rank() <= 5 : data.rank() == p.rank() + 2;
  if (!rank_fits) {
    c.fail_input(0, p.global_pool
                        ? std::string("3 to 5 dimensions")
                        : fmt::format("{} dimensions for a kernel of {}", p.rank() + 2, p.rank()));
  }
  Shape result = data;
  for (std::size_t i = 0; i + 2 < data.rank(); ++i) {
    result[i + 2] = p.global_pool ? Dim(1) : p.windows(i, data[i + 2]);
  }
  return from_channels_first(result, p.layout);
}

std::vector<AttrProblem> check_pooling(const PoolingParam& p) {
  std::vector<AttrProblem> problems;
  if (!p.global_pool && !p.kernel.empty()) problems = check_layout(p.layout, p.rank());
  if (!p.global_pool && p.kernel.empty()) {
    problems.push_back({"kernel", "expected a tuple of 1 to 3 integers, found nothing", ""});
  }
  if (p.pool_type == PoolingParam::Type::kLp && !p.p_value) {
    problems.push_back({"p_value", "expected 1, 2 or 3 for lp pooling, found nothing", ""});
  }
  // MXNet 1.9.1 wants three pads for the convention `same` in one dimension.
  const bool same_1d = p.pooling_convention == PoolingParam::Convention::kSame && p.rank() == 1;
  if (!p.global_pool && !same_1d) {
    check_elements("stride", p.stride, p.rank(), problems);
    check_elements("pad", p.pad, p.rank(), problems);
  }
  if (p.pooling_convention == PoolingParam::Convention::kSame && !p.global_pool &&
      (p.rank() != 1 ||
       std::any_of(p.pad.begin(), p.pad.end(), [](auto pad) { return pad != 0; }))) {
    problems.push_back(
        {"pooling_convention", "MXNet has same only in one dimension and without pad", ""});
  }
  return problems;
}

namespace {

using onnx::Builder;
using onnx::Value;

// x^p and its inverse as MXNet has them: for odd powers without the absolute value.
Value to_power(Builder& b, Value x, std::int64_t power) {
  Value result = x;
  for (std::int64_t i = 1; i < power; ++i) result = b.mul(result, x);
  return result;
}

Value root(Builder& b, Value x, std::int64_t power) {
  if (power == 1) return x;
  if (power == 2) return b.unary("Sqrt", x);
  const Value magnitude = b.binary("Pow", b.unary("Abs", x), b.scalar(b.dtype(x), 1.0 / 3));
  return b.mul(b.unary("Sign", x), magnitude);
}

Value global_pool(const PoolingParam& p, Builder& b, Value x) {
  const std::size_t rank = b.shape(x).rank();
  std::vector<Dim> dims(rank, Dim(1));
  dims[0] = b.shape(x)[0];
  dims[1] = b.shape(x)[1];
  const TensorType type{b.dtype(x), Shape(dims)};
  auto axes = iota(rank);
  axes.erase(axes.begin(), axes.begin() + 2);
  switch (p.pool_type) {
    case PoolingParam::Type::kMax:
      return b.emit("GlobalMaxPool", {x}, {}, type);
    case PoolingParam::Type::kAvg:
      return b.emit("GlobalAveragePool", {x}, {}, type);
    case PoolingParam::Type::kSum:
      return onnx::reduce(b, "ReduceSum", x, axes, true);
    case PoolingParam::Type::kLp:
      return root(b, onnx::reduce(b, "ReduceSum", to_power(b, x, *p.p_value), axes, true),
                  *p.p_value);
  }
  return {};
}

// The windows of one axis, and what has to be appended to the input so that all of them fit.
struct Axis {
  Dim windows;
  Dim appended;         ///< Rows behind the symmetric padding.
  bool may_be_outside;  ///< A window may start behind the input and its padding at the front.
};

std::vector<Axis> pool_axes(const PoolingParam& p, const Shape& data) {
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < p.rank(); ++i) {
    Axis axis;
    axis.windows = p.windows(i, data[i + 2]);
    const Dim needed = (axis.windows - 1) * p.stride_at(i) + p.kernel[i];
    const Dim padded = data[i + 2] + 2 * p.pad_at(i);
    // Under `valid` the windows always fit.
    axis.appended =
        p.pooling_convention == PoolingParam::Convention::kValid ? Dim(0) : max(needed - padded, 0);
    axis.may_be_outside = p.kernel[i] < p.stride_at(i) + p.pad_at(i);
    axes.push_back(axis);
  }
  return axes;
}

// What MXNet gives for a window without an element.
double least(DType dtype) {
  constexpr double kLeastHalf = -65504;
  if (is_integer(dtype)) return integer_range(dtype).first;
  if (dtype == DType::kFloat64) return std::numeric_limits<double>::lowest();
  return dtype == DType::kFloat16 ? kLeastHalf : std::numeric_limits<float>::lowest();
}

// Longer tables of shares are computed by the graph instead of being written into it.
constexpr std::int64_t kMostWritten = 4096;

bool is_zero(const Dim& dim) { return dim.is_constant() && dim.value() == 0; }

class WindowPool {
 public:
  WindowPool(const PoolingParam& p, Builder& b, Value x)
      : p_(p), b_(b), x_(x), data_(b_.shape(x)), axes_(pool_axes(p, data_)) {
    result_ = {b_.dtype(x), data_};
    for (std::size_t i = 0; i < axes_.size(); ++i) result_.shape[i + 2] = axes_[i].windows;
  }

  Value run() {
    switch (p_.pool_type) {
      case PoolingParam::Type::kMax:
        return max_pool();
      case PoolingParam::Type::kAvg:
        return p_.includes_pad() ? average_with_pad() : average_without_pad();
      case PoolingParam::Type::kSum:
        return sum(x_);
      case PoolingParam::Type::kLp:
        return root(b_, sum(to_power(b_, x_, *p_.p_value)), *p_.p_value);
    }
    return {};
  }

 private:
  template <typename Condition>
  bool all_axes(Condition condition) const {
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (!condition(i, axes_[i])) return false;
    }
    return true;
  }
  bool all_windows_fit() const {
    return all_axes([](std::size_t, const Axis& axis) { return is_zero(axis.appended); });
  }
  // ONNX Runtime wants pads smaller than the window.
  bool attributes_can_pad() const {
    return all_axes([&](std::size_t i, const Axis& axis) {
      return axis.appended.is_constant() && p_.pad_at(i) + axis.appended.value() < p_.kernel[i];
    });
  }
  bool ceil_mode_is_safe() const {
    return p_.pooling_convention == PoolingParam::Convention::kFull &&
           all_axes([&](std::size_t i, const Axis& axis) {
             return !axis.may_be_outside && p_.pad_at(i) < p_.kernel[i];
           });
  }

  Value max_pool() {
    if (!attributes_can_pad() && ceil_mode_is_safe()) {
      return emit("MaxPool", x_, {{"ceil_mode", 1}, {"pads", both_ends(p_.pads())}});
    }
    return padded_pool("MaxPool", x_, {}, least(b_.dtype(x_)));
  }

  Value emit(std::string_view op_type, Value x, onnx::Attributes extra) {
    onnx::Attributes attrs{{"kernel_shape", p_.kernel}, {"strides", p_.strides()}};
    for (auto& attr : extra) attrs.push_back(std::move(attr));
    return b_.emit(op_type, {x}, std::move(attrs), result_);
  }

  // Pads such that all windows fit: by the pooling's own attribute where that can, else by a Pad.
  Value padded_pool(std::string_view op_type, Value x, onnx::Attributes extra, double filling) {
    Tuple pads(2 * p_.rank(), 0);
    if (attributes_can_pad()) {
      pads = both_ends(p_.pads());
      for (std::size_t i = 0; i < p_.rank(); ++i) pads[p_.rank() + i] += axes_[i].appended.value();
    } else {
      x = pad_input(x, filling);
    }
    extra.emplace_back("pads", pads);
    return emit(op_type, x, std::move(extra));
  }

  Value pad_input(Value x, double filling) {
    std::vector<Dim> pads(2 * data_.rank(), Dim(0));
    TensorType type = b_.type(x);
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      pads[2 + i] = p_.pad_at(i);
      pads[data_.rank() + 2 + i] = axes_[i].appended + p_.pad_at(i);
      type.shape[i + 2] = type.shape[i + 2] + axes_[i].appended + 2 * p_.pad_at(i);
    }
    return b_.emit("Pad", {x, onnx::sizes_tensor(b_, pads), b_.scalar(b_.dtype(x), filling)},
                   {{"mode", "constant"}}, std::move(type));
  }

  // Average over whole windows, zeros counted: always with explicit padding, because runtimes
  // differ in what ceil_mode counts.
  Value whole_window_average(Value x) {
    return padded_pool("AveragePool", x, {{"count_include_pad", 1}}, 0);
  }

  Value sum(Value x) {
    double area = 1;
    for (const auto size : p_.kernel) area *= static_cast<double>(size);
    return b_.mul(whole_window_average(x), b_.scalar(b_.dtype(x), area));
  }

  // Where a window hangs over, MXNet divides by the part of it that lies in the padded input: the
  // average over the whole window is divided by that part's share, which is the same for all
  // examples.
  Value average_with_pad() {
    const Value average = whole_window_average(x_);
    if (all_windows_fit()) return average;
    Value share;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (is_zero(axes_[i].appended)) continue;
      share = multiply(share, share_along(i, 0, data_[i + 2] + 2 * p_.pad_at(i)));
    }
    return b_.div(average, share);
  }

  Value average_without_pad() {
    const bool never_outside = all_axes([](std::size_t, const Axis& axis) {
      return is_zero(axis.appended) || !axis.may_be_outside;
    });
    if (attributes_can_pad() && never_outside) {
      return padded_pool("AveragePool", x_, {{"count_include_pad", 0}}, 0);
    }
    Value share;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      share = multiply(share, share_along(i, p_.pad_at(i), data_[i + 2] + p_.pad_at(i)));
    }
    return b_.div(whole_window_average(x_), share);
  }

  Value multiply(Value a, Value b) { return a.present() ? b_.mul(a, b) : b; }

  // Share of each window along one axis that lies between `first` and `last` of the padded input; a
  // window that lies outside counts as whole, for its sum is 0. Shape (windows, 1…).
  Value share_along(std::size_t i, std::int64_t first, const Dim& last) {
    std::vector<Dim> dims(axes_.size() - i, Dim(1));
    dims[0] = axes_[i].windows;
    const Shape shape(std::move(dims));
    const std::int64_t kernel = p_.kernel[i];
    const bool short_enough =
        axes_[i].windows.is_constant() && axes_[i].windows.value() <= kMostWritten;
    if (!last.is_constant() || !short_enough) return computed_share_along(i, first, last, shape);
    std::vector<double> shares;
    for (std::int64_t w = 0; w < axes_[i].windows.value(); ++w) {
      const std::int64_t start = w * p_.stride_at(i);
      const std::int64_t covered = std::min(start + kernel, last.value()) - std::max(start, first);
      shares.push_back(covered > 0 ? static_cast<double>(covered) / static_cast<double>(kernel)
                                   : 1);
    }
    return b_.constant(make_tensor_as(b_.dtype(x_), shape.sizes(), shares));
  }

  Value computed_share_along(std::size_t i, std::int64_t first, const Dim& last,
                             const Shape& shape) {
    const std::int64_t kernel = p_.kernel[i];
    const Dim end = axes_[i].windows * p_.stride_at(i);
    const Value starts = b_.emit(
        "Range",
        {b_.int_scalar(0), onnx::reshape(b_, onnx::size_tensor(b_, end), Shape(std::vector<Dim>{})),
         b_.int_scalar(p_.stride_at(i))},
        {}, {DType::kInt64, Shape{axes_[i].windows}});
    const Value ends =
        b_.binary("Min", b_.add(starts, b_.ints({kernel})), onnx::size_tensor(b_, last));
    const Value covered =
        b_.sub(ends, first > 0 ? b_.binary("Max", starts, b_.ints({first})) : starts);
    const Value outside = b_.binary("Less", covered, b_.ints({1}));
    const Value counted = b_.where(outside, b_.ints({kernel}), covered);
    const Value share = b_.div(b_.cast(counted, b_.dtype(x_)),
                               b_.scalar(b_.dtype(x_), static_cast<double>(kernel)));
    return onnx::reshape(b_, share, shape);
  }

  const PoolingParam& p_;
  Builder& b_;
  Value x_;
  Shape data_;
  std::vector<Axis> axes_;
  TensorType result_;
};

}  // namespace

onnx::Value pool_channels_first(const PoolingParam& p, onnx::Builder& b, onnx::Value x) {
  return p.global_pool ? global_pool(p, b, x) : WindowPool(p, b, x).run();
}

}  // namespace mx2onnx
