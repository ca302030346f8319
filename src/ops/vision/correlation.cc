// Correlation: how well the surroundings of each point of an image match those of shifted points of
// another one (src/operator/correlation.cc).
#include <cstdlib>

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/spatial.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct CorrelationParam {
  std::int64_t kernel_size = 1;
  std::int64_t max_displacement = 1;
  std::int64_t stride1 = 1;
  std::int64_t stride2 = 1;
  std::int64_t pad_size = 0;
  bool is_multiply = true;

  static void declare(AttrDeclarer<CorrelationParam>& d) {
    d.field("kernel_size", &CorrelationParam::kernel_size)
        .at_least(1)
        .at_most(kMost)
        .help("height and width of the surroundings, odd");
    d.field("max_displacement", &CorrelationParam::max_displacement)
        .at_least(0)
        .at_most(kMost)
        .help("how far a point is shifted along each axis");
    d.field("stride1", &CorrelationParam::stride1)
        .at_least(1)
        .at_most(kMost)
        .help("between points");
    d.field("stride2", &CorrelationParam::stride2)
        .at_least(1)
        .at_most(kMost)
        .help("between shifts");
    d.field("pad_size", &CorrelationParam::pad_size)
        .at_least(0)
        .at_most(kMost)
        .help("zeros at each end of height and width");
    d.field("is_multiply", &CorrelationParam::is_multiply)
        .help("mean of products, not of absolute differences");
  }
  static constexpr double kMost = 1 << 15;

  std::int64_t radius() const { return max_displacement / stride2; }
  std::int64_t shifts() const { return 2 * radius() + 1; }
  /// How many points there are along an axis.
  Dim points(const Dim& size) const {
    const std::int64_t border = max_displacement + (kernel_size - 1) / 2;
    return ceil_div(size + 2 * pad_size - 2 * border, stride1);
  }
};

std::vector<AttrProblem> check_correlation(const CorrelationParam& p, const CheckContext& /*c*/) {
  // A row of nodes for each vertical shift.
  constexpr std::int64_t kMostShifts = 255;
  std::vector<AttrProblem> problems;
  if (p.kernel_size % 2 == 0) {
    problems.push_back(
        {"kernel_size", fmt::format("expected an odd number, got {}", p.kernel_size), ""});
  }
  if (p.shifts() > kMostShifts) {
    problems.push_back(
        {"max_displacement",
         fmt::format("expected at most {} shifts along an axis, got {}", kMostShifts, p.shifts()),
         ""});
  }
  return problems;
}

void infer_correlation(const CorrelationParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape from = Shape::unknown_dims(4);
  for (std::size_t i = 0; i < 2; ++i) {
    c.set_input_shape(i, from);
    from = c.input_shape(i);
  }
  c.set_input_shape(0, from);
  const Dim height = p.points(from[2]);
  const Dim width = p.points(from[3]);
  for (const Dim& points : {height, width}) {
    if (points.is_constant() && points.value() < 1) {
      c.fail_input(0, "sizes that the kernel and the displacement fit into");
    }
  }
  c.set_output_shape(0, {from[0], p.shifts() * p.shifts(), height, width});
}

// The averages of the kernels, which ONNX Runtime does not pool in float64.
Value averages(const CorrelationParam& p, Builder& b, Value matches, const Shape& to) {
  const auto offsets = iota(static_cast<std::size_t>(p.kernel_size));
  for (const std::int64_t axis : {3, 2}) {
    const Dim& points = to[static_cast<std::size_t>(axis)];
    const Value windows = b.gather(matches, window_indices(b, offsets, points, p.stride1), axis);
    matches = onnx::reduce(b, "ReduceMean", windows, {axis}, false);
  }
  return matches;
}

void translate_correlation(const CorrelationParam& p, Translation& t) {
  Builder& b = t.b;
  const DType dtype = t.output_type(0).dtype;
  const bool has_kernel = p.kernel_size > 1;
  const Shape& from = t.input_shape(0);
  const Shape& to = t.output_shape(0);
  const onnx::Ints pads{0, 0, p.pad_size, p.pad_size};
  const Value first = onnx::pad(b, t.input(0), pads, pads, "constant");
  const Value second = onnx::pad(b, t.input(1), pads, pads, "constant");
  // Products are made at every pixel that a kernel covers, or at the points if it covers no more.
  const std::int64_t step = has_kernel ? 1 : p.stride1;
  const auto covered = [&](const Dim& points) {
    return has_kernel ? (points - 1) * p.stride1 + p.kernel_size : points;
  };
  const Dim rows = covered(to[2]);
  const Dim columns = covered(to[3]);
  const auto range = [&](std::int64_t axis, std::int64_t start, const Dim& count) {
    return onnx::SliceRange{axis, start, (count - 1) * step + start + 1, step};
  };
  const std::int64_t center = p.max_displacement;
  const Value fixed =
      onnx::unsqueeze(b,
                      onnx::slice(b, first, {range(2, center, rows), range(3, center, columns)},
                                  {from[0], from[1], rows, columns}),
                      {2});
  std::vector<std::int64_t> offsets;
  for (std::int64_t shift = -p.radius(); shift <= p.radius(); ++shift) {
    offsets.push_back(center + shift * p.stride2);
  }
  // (N, C, shifts, padded height, columns)
  const Value shifted =
      b.transpose(b.gather(second, window_indices(b, offsets, columns, step), 3), {0, 1, 3, 2, 4});
  std::vector<Value> parts;
  for (const auto offset : offsets) {
    const Value other = onnx::slice(b, shifted, {range(3, offset, rows)},
                                    {from[0], from[1], p.shifts(), rows, columns});
    const Value match = p.is_multiply ? b.mul(fixed, other) : b.unary("Abs", b.sub(fixed, other));
    parts.push_back(onnx::reduce(b, "ReduceMean", match, {1}, false));
  }
  const Value matches = parts.size() == 1 ? parts[0] : b.concat(parts, 1);
  if (!has_kernel) return t.set_output(0, matches);
  if (dtype == DType::kFloat64) return t.set_output(0, averages(p, b, matches, to));
  t.set_output(0, b.emit("AveragePool", {matches},
                         {{"kernel_shape", onnx::Ints{p.kernel_size, p.kernel_size}},
                          {"strides", onnx::Ints{p.stride1, p.stride1}}},
                         {dtype, to}));
}

}  // namespace

void register_correlation(Registry& r) {
  r.add<CorrelationParam>({"Correlation"})
      .summary("How well the surroundings of points match those of shifted points.")
      .inputs({{"data1", InputRole::kData}, {"data2", InputRole::kData}})
      .infer(infer_correlation)
      .translate(translate_correlation)
      .check(check_correlation)
      .note("At most 255 shifts along an axis.")
      .note(std::string(kHalfSumNote))
      .note("Both images have the same shape, which MXNet does not check.");
}

}  // namespace mx2onnx
