// Pooling (src/operator/nn/pooling.cc, pool.h): max, avg, sum and lp in one, two and three
// dimensions, under the conventions valid (sizes rounded down), full (rounded up) and same.
//
// Under `full` the last window may hang over the end of the padded input, or lie outside of it
// altogether. MXNet keeps it: max and sum see what there is; avg divides by the part of the window
// that lies in the padded input (or in the input, without count_include_pad). ONNX's ceil_mode
// drops a window that starts outside of the input, so it is used only where that cannot happen.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/spatial.h"
#include "ops/nn/pool_v1.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct PoolParam {
  enum class Type { kMax, kAvg, kSum, kLp };
  enum class Convention { kFull, kValid, kSame };
  Tuple kernel;
  Type pool_type = Type::kMax;
  bool global_pool = false;
  Convention pooling_convention = Convention::kValid;
  Tuple stride;
  Tuple pad;
  std::optional<std::int64_t> p_value;
  std::optional<bool> count_include_pad;
  Layout layout = Layout::kDefault;

  static void declare(AttrDeclarer<PoolParam>& d) {
    d.field("kernel", &PoolParam::kernel)
        .sizes(0, 3)
        .at_least(1)
        .help("window; not needed for global_pool");
    d.one_of("pool_type", &PoolParam::pool_type, {"max", "avg", "sum", "lp"})
        .help("what is taken of a window");
    d.field("global_pool", &PoolParam::global_pool)
        .help("one window over everything; kernel, stride and pad are ignored");
    d.one_of("pooling_convention", &PoolParam::pooling_convention, {"full", "valid", "same"})
        .help("how the number of windows is rounded");
    d.field("stride", &PoolParam::stride).sizes(0, 3).at_least(1).help("1 for each axis if empty");
    d.field("pad", &PoolParam::pad).sizes(0, 3).at_least(0).help("0 for each axis if empty");
    d.field("p_value", &PoolParam::p_value).at_least(1).at_most(3).help("the power of lp");
    d.field("count_include_pad", &PoolParam::count_include_pad).help("of avg; None is True");
    d.one_of("layout", &PoolParam::layout, layout_names()).help("None: channels first");
    d.ignore({"cudnn_off", "output_size"});
  }

  std::size_t rank() const { return kernel.size(); }
  std::int64_t stride_at(std::size_t i) const { return spatial_tuple(stride, rank(), 1)[i]; }
  /// `same` has no padding, however many zeros its `pad` has.
  Tuple pads() const {
    return pooling_convention == Convention::kSame ? Tuple(rank(), 0)
                                                   : spatial_tuple(pad, rank(), 0);
  }
  std::int64_t pad_at(std::size_t i) const { return pads()[i]; }
  bool includes_pad() const { return count_include_pad.value_or(true); }
};

// Windows along one axis.
Dim num_windows(const PoolParam& p, std::size_t i, const Dim& size) {
  const Dim padded = size + 2 * p.pad_at(i);
  switch (p.pooling_convention) {
    case PoolParam::Convention::kValid:
      return strided_size(size, p.kernel[i], p.stride_at(i), p.pad_at(i));
    case PoolParam::Convention::kFull:
      return ceil_div(padded - p.kernel[i], p.stride_at(i)) + 1;
    case PoolParam::Convention::kSame:
      return ceil_div(padded, p.stride_at(i));
  }
  return {};
}

void infer_pool(const PoolParam& p, InferContext& c) {
  c.unify_dtypes();
  const Shape data = to_channels_first(c.input_shape(0), p.layout);
  if (!data.known_rank()) return;
  const bool rank_fits =
      p.global_pool ? data.rank() >= 3 && data.rank() <= 5 : data.rank() == p.rank() + 2;
  if (!rank_fits) {
    c.fail_input(0, p.global_pool
                        ? std::string("3 to 5 dimensions")
                        : fmt::format("{} dimensions for a kernel of {}", p.rank() + 2, p.rank()));
  }
  Shape result = data;
  for (std::size_t i = 0; i + 2 < data.rank(); ++i) {
    if (p.global_pool) {
      result[i + 2] = 1;
      continue;
    }
    const Dim padded = data[i + 2] + 2 * p.pad_at(i);
    if (padded.is_constant() && padded.value() < p.kernel[i]) {
      fail(ErrorCode::kModel, fmt::format("the window of {} does not fit the padded input of {}",
                                          p.kernel[i], padded.value()));
    }
    result[i + 2] = num_windows(p, i, data[i + 2]);
  }
  c.set_output_shape(0, from_channels_first(result, p.layout));
}

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

Value global_pool(const PoolParam& p, Translation& t, Value x) {
  Builder& b = t.b;
  const std::size_t rank = b.shape(x).rank();
  std::vector<Dim> dims(rank, Dim(1));
  dims[0] = b.shape(x)[0];
  dims[1] = b.shape(x)[1];
  const TensorType type{b.dtype(x), Shape(dims)};
  auto axes = iota(rank);
  axes.erase(axes.begin(), axes.begin() + 2);
  switch (p.pool_type) {
    case PoolParam::Type::kMax:
      return b.emit("GlobalMaxPool", {x}, {}, type);
    case PoolParam::Type::kAvg:
      return b.emit("GlobalAveragePool", {x}, {}, type);
    case PoolParam::Type::kSum:
      return onnx::reduce(b, "ReduceSum", x, axes, true);
    case PoolParam::Type::kLp:
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

std::vector<Axis> pool_axes(const PoolParam& p, const Shape& data) {
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < p.rank(); ++i) {
    Axis axis;
    axis.windows = num_windows(p, i, data[i + 2]);
    const Dim needed = (axis.windows - 1) * p.stride_at(i) + p.kernel[i];
    const Dim padded = data[i + 2] + 2 * p.pad_at(i);
    // Under `valid` the windows always fit.
    axis.appended =
        p.pooling_convention == PoolParam::Convention::kValid ? Dim(0) : max(needed - padded, 0);
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
  WindowPool(const PoolParam& p, Translation& t, Value x)
      : p_(p), b_(t.b), x_(x), data_(b_.shape(x)), axes_(pool_axes(p, data_)) {
    result_ = {b_.dtype(x), data_};
    for (std::size_t i = 0; i < axes_.size(); ++i) result_.shape[i + 2] = axes_[i].windows;
  }

  Value run() {
    switch (p_.pool_type) {
      case PoolParam::Type::kMax:
        return max_pool();
      case PoolParam::Type::kAvg:
        return p_.includes_pad() ? average_with_pad() : average_without_pad();
      case PoolParam::Type::kSum:
        return sum(x_);
      case PoolParam::Type::kLp:
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
    return p_.pooling_convention == PoolParam::Convention::kFull &&
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
    onnx::Attributes attrs{{"kernel_shape", p_.kernel},
                           {"strides", spatial_tuple(p_.stride, p_.rank(), 1)}};
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
    const Value starts = b_.emit("Range",
                                 {b_.int_scalar(0), scalar_size(axes_[i].windows * p_.stride_at(i)),
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

  Value scalar_size(const Dim& dim) {
    return onnx::reshape(b_, onnx::size_tensor(b_, dim), Shape(std::vector<Dim>{}));
  }

  const PoolParam& p_;
  Builder& b_;
  Value x_;
  Shape data_;
  std::vector<Axis> axes_;
  TensorType result_;
};

void translate_pool(const PoolParam& p, Translation& t) {
  const Value x = to_channels_first(t.b, t.input(0), p.layout);
  const Value y = p.global_pool ? global_pool(p, t, x) : WindowPool(p, t, x).run();
  t.set_output(0, from_channels_first(t.b, y, p.layout));
}

std::vector<AttrProblem> check_pool(const PoolParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  if (!p.global_pool && !p.kernel.empty()) problems = check_layout(p.layout, p.rank());
  if (!p.global_pool && p.kernel.empty()) {
    problems.push_back({"kernel", "expected a tuple of 1 to 3 integers, found nothing", ""});
  }
  if (p.pool_type == PoolParam::Type::kLp && !p.p_value) {
    problems.push_back({"p_value", "expected 1, 2 or 3 for lp pooling, found nothing", ""});
  }
  const auto check = [&](std::string name, const Tuple& tuple) {
    // MXNet 1.9.1 wants three pads for the convention `same` in one dimension.
    const bool same_1d = p.pooling_convention == PoolParam::Convention::kSame && p.rank() == 1;
    if (p.global_pool || tuple.empty() || tuple.size() == p.rank() || same_1d) return;
    problems.push_back(
        {std::move(name),
         fmt::format("expected {} elements as in kernel, got {}", p.rank(), tuple.size()), ""});
  };
  check("stride", p.stride);
  check("pad", p.pad);
  if (p.pooling_convention == PoolParam::Convention::kSame && !p.global_pool &&
      (p.rank() != 1 ||
       std::any_of(p.pad.begin(), p.pad.end(), [](auto pad) { return pad != 0; }))) {
    problems.push_back(
        {"pooling_convention", "MXNet has same only in one dimension and without pad", ""});
  }
  return problems;
}

}  // namespace

void register_pool(Registry& r) {
  r.add<PoolParam>({"Pooling", "_npx_pooling"})
      .summary("Max, average, sum or Lp pooling in one, two or three dimensions.")
      .infer(infer_pool)
      .translate(translate_pool)
      .check(check_pool)
      .note(
          "Max pooling passes NaN over in MXNet, and of a window in which there is nothing else "
          "gives the least number of the dtype; what ONNX Runtime makes of a window with NaN in it "
          "depends on its place.")
      .variant<OldPoolParam>(OriginRange::until(0, 7),
                             "the number of windows is rounded up, and padding counts as zeros",
                             [](OpDeclarer<OldPoolParam>& variant) {
                               variant.infer(infer_pool_v1)
                                   .translate(translate_pool_v1)
                                   .check(check_pool_v1)
                                   .note(kPoolV1NanNote);
                             });
}

}  // namespace mx2onnx
