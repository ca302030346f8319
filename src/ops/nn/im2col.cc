// Sliding windows laid out as columns and back: im2col, col2im (src/operator/nn/im2col-inl.h).
#include <fmt/format.h>

#include "base/budget.h"
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/sliding_window.h"
#include "ops/expressions/spatial.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct WindowParam : SlidingWindow {
  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    declare_window(d, 1, 3, "the window");
  }
  static void declare(AttrDeclarer<WindowParam>& d) { declare_common(d); }

  std::int64_t area() const { return checked_mul(kernel[0], kernel[1]); }
};

struct Col2imParam : WindowParam {
  Tuple output_size;
  static void declare(AttrDeclarer<Col2imParam>& d) {
    d.field("output_size", &Col2imParam::output_size)
        .required()
        .sizes(1, 3)
        .at_least(1)
        .help("height and width of the result");
    declare_common(d);
  }
};

// MXNet's kernels for one and three dimensions fail on a CPU.
std::vector<AttrProblem> check_windows(const WindowParam& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  const auto check = [&](std::string name, const Tuple& tuple) {
    if (tuple.size() == 2) return;
    problems.push_back({std::move(name), fmt::format("expected 2 elements, got {}", tuple.size()),
                        "MXNet computes it for images only"});
  };
  check("kernel", p.kernel);
  if (!p.stride.empty()) check("stride", p.stride);
  if (!p.dilate.empty()) check("dilate", p.dilate);
  if (!p.pad.empty()) check("pad", p.pad);
  return problems;
}

void infer_im2col(const WindowParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(4));
  const Shape& from = c.input_shape(0);
  c.set_output_shape(0,
                     {from[0], from[1] * p.area(), p.windows(0, from[2]) * p.windows(1, from[3])});
}

std::vector<std::int64_t> tap_offsets(const WindowParam& p, std::size_t axis) {
  spend_elements(p.kernel[axis]);
  std::vector<std::int64_t> offsets;
  for (std::int64_t k = 0; k < p.kernel[axis]; ++k) offsets.push_back(k * p.dilate_at(axis));
  return offsets;
}

void translate_im2col(const WindowParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& from = t.input_shape(0);
  const Tuple pads{0, 0, p.pad_at(0), p.pad_at(1)};
  Value x = onnx::pad(b, t.input(0), pads, pads, "constant");
  x = b.gather(x, window_indices(b, tap_offsets(p, 0), p.windows(0, from[2]), p.stride_at(0)), 2);
  x = b.gather(x, window_indices(b, tap_offsets(p, 1), p.windows(1, from[3]), p.stride_at(1)), 4);
  // From (N, C, kernel, rows, kernel, columns).
  t.set_output(0, onnx::reshape(b, b.transpose(x, {0, 1, 2, 4, 3, 5}), t.output_shape(0)));
}

void infer_col2im(const Col2imParam& p, InferContext& c) {
  c.unify_dtypes();
  const Dim windows = p.windows(0, p.output_size[0]) * p.windows(1, p.output_size[1]);
  c.set_input_shape(0, Shape{{}, {}, windows});
  const Shape& from = c.input_shape(0);
  if (from[1].is_constant() && from[1].value() % p.area() != 0) {
    c.fail_input(0, fmt::format("a second size that {} divides", p.area()));
  }
  c.set_output_shape(0,
                     {from[0], floor_div(from[1], p.area()), p.output_size[0], p.output_size[1]});
}

// Of each element of the result and each tap of the window, where among (taps, windows) and one
// zero behind them what it adds is found.
Value scattered_indices(Builder& b, const Col2imParam& p, std::size_t axis) {
  const std::int64_t size = p.output_size[axis];
  const std::int64_t windows = p.windows(axis, size).value();
  const std::int64_t zero = checked_mul(p.kernel[axis], windows);
  spend_elements(p.kernel[axis], size);
  std::vector<std::int64_t> indices;
  for (std::int64_t k = 0; k < p.kernel[axis]; ++k) {
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t begin = i + p.pad_at(axis) - k * p.dilate_at(axis);
      const std::int64_t window = begin / p.stride_at(axis);
      const bool hit = begin >= 0 && begin % p.stride_at(axis) == 0 && window < windows;
      indices.push_back(hit ? k * windows + window : zero);
    }
  }
  return b.constant(make_tensor({p.kernel[axis], size}, indices));
}

void translate_col2im(const Col2imParam& p, Translation& t) {
  Builder& b = t.b;
  // ONNX Runtime has it for float32 only.
  if (b.has("Col2Im") && t.output_type(0).dtype == DType::kFloat32) {
    const onnx::Attributes attrs{
        {"strides", p.strides()}, {"dilations", p.dilations()}, {"pads", both_ends(p.pads())}};
    return t.set_output(0, b.emit("Col2Im", {t.input(0), b.ints(p.output_size), b.ints(p.kernel)},
                                  attrs, t.output_type(0)));
  }
  // Before that, what each element of the result is the sum of is gathered, axis by axis.
  const Dim& batch = t.output_shape(0)[0];
  const Dim& channels = t.output_shape(0)[1];
  const Dim rows = p.windows(0, p.output_size[0]);
  const Dim columns = p.windows(1, p.output_size[1]);
  Value x =
      onnx::reshape(b, t.input(0), {batch, channels, p.kernel[0], p.kernel[1], rows, columns});
  x = onnx::reshape(b, b.transpose(x, {0, 1, 2, 4, 3, 5}),
                    {batch, channels, rows * p.kernel[0], columns * p.kernel[1]});
  x = onnx::pad(b, x, {0, 0, 0, 0}, {0, 0, 1, 1}, "constant");
  x = onnx::reduce(b, "ReduceSum", b.gather(x, scattered_indices(b, p, 0), 2), {2}, false);
  x = onnx::reduce(b, "ReduceSum", b.gather(x, scattered_indices(b, p, 1), 3), {3}, false);
  t.set_output(0, x);
}

}  // namespace

void register_im2col(Registry& r) {
  r.add<WindowParam>({"im2col"})
      .summary("The elements of sliding windows as columns.")
      .infer(infer_im2col)
      .translate(translate_im2col)
      .check(check_windows)
      .note("Images only, as in MXNet, which fails in one and three dimensions.");
  r.add<Col2imParam>({"col2im"})
      .summary("The sum of sliding windows that are given as columns.")
      .infer(infer_col2im)
      .translate(translate_col2im)
      .check([](const Col2imParam& p, const CheckContext& c) {
        auto problems = check_windows(p, c);
        if (p.output_size.size() != 2) {
          problems.push_back({"output_size",
                              fmt::format("expected 2 elements, got {}", p.output_size.size()),
                              "MXNet computes it for images only"});
        }
        return problems;
      })
      .note("Images only, as in MXNet, which fails in one and three dimensions.");
}

}  // namespace mx2onnx
