// Pooling: the attributes of the two operators, how many windows there are, and how it is written
// in ONNX.
#pragma once

#include <optional>

#include "ops/expressions/sliding_window.h"
#include "ops/record/op_def.h"

namespace mx2onnx {

/// The attributes of Pooling_v1, which Pooling has too.
struct PoolParam : SlidingWindow {
  enum class Type { kMax, kAvg, kSum, kLp };
  /// How the number of windows is rounded; kInside, which has no name, up as long as each window
  /// begins within the padded input.
  enum class Convention { kFull, kValid, kSame, kInside };
  Type pool_type = Type::kMax;
  bool global_pool = false;
  Convention pooling_convention = Convention::kValid;

  /// Declares them with the types and conventions that there are, the first ones of those above. No
  /// conventions: there is no such attribute.
  template <typename P>
  static void declare_pool(AttrDeclarer<P>& d, std::vector<std::string> types,
                           std::vector<std::string> conventions) {
    d.field("kernel", &P::kernel)
        .sizes(0, 3)
        .at_least(1)
        .help("window; not needed for global_pool");
    d.one_of("pool_type", &P::pool_type, std::move(types)).help("what is taken of a window");
    d.field("global_pool", &P::global_pool)
        .help("one window over everything; kernel, stride and pad are ignored");
    if (!conventions.empty()) {
      d.one_of("pooling_convention", &P::pooling_convention, std::move(conventions))
          .help("how the number of windows is rounded");
    }
    d.field("stride", &P::stride).sizes(0, 3).at_least(1).help("1 for each axis if empty");
    d.field("pad", &P::pad).sizes(0, 3).at_least(0).help("0 for each axis if empty");
  }

  /// `same` has no padding, however many zeros its `pad` has.
  Tuple pads() const {
    return pooling_convention == Convention::kSame ? Tuple(rank(), 0) : SlidingWindow::pads();
  }
  std::int64_t pad_at(std::size_t i) const { return pads()[i]; }
  /// Windows along an axis, rounded as the convention says. Fails with kModel if none fits.
  Dim windows(std::size_t i, const Dim& size) const;
};

/// The attributes of Pooling.
struct PoolingParam : PoolParam {
  std::optional<std::int64_t> p_value;
  std::optional<bool> count_include_pad;
  Layout layout = Layout::kDefault;

  static void declare(AttrDeclarer<PoolingParam>& d) {
    declare_pool(d, {"max", "avg", "sum", "lp"}, {"full", "valid", "same"});
    d.field("p_value", &PoolingParam::p_value).at_least(1).at_most(3).help("the power of lp");
    d.field("count_include_pad", &PoolingParam::count_include_pad).help("of avg; None is True");
    d.one_of("layout", &PoolingParam::layout, layout_names()).help("None: channels first");
    d.ignore({"cudnn_off", "output_size"});
  }

  bool includes_pad() const { return count_include_pad.value_or(true); }
};

/// The shape of what is pooled to, of data of a known rank. Fails with kModel if the window does
/// not fit the data.
Shape pooled_shape(const PoolingParam& p, InferContext& c);

/// What is wrong with the attributes.
std::vector<AttrProblem> check_pooling(const PoolingParam& p);

/// Pools an array whose channels are its second axis.
onnx::Value pool_channels_first(const PoolingParam& p, onnx::Builder& b, onnx::Value x);

}  // namespace mx2onnx
