// Position-sensitive pooling of regions, where each bin has channels of its own:
// _contrib_PSROIPooling and _contrib_DeformablePSROIPooling
// (src/operator/contrib/psroi_pooling.cc, deformable_psroi_pooling.cc).
//
// The first one averages all pixels of a bin. Their sum is a difference of four elements of a table
// of sums, in float64. The second one averages interpolated points, which may be shifted.
#include <fmt/format.h>

#include <array>

#include "base/budget.h"
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/stepwise.h"
#include "ops/vision/roi_loop.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct PsroiParam {
  double spatial_scale = 0;
  std::int64_t output_dim = 0;
  std::int64_t pooled_size = 0;
  std::int64_t group_size = 0;

  static void declare(AttrDeclarer<PsroiParam>& d) {
    declare_common(d);
    d.field("group_size", &PsroiParam::group_size)
        .at_least(0)
        .at_most(kMostBins)
        .help("groups of channels along each axis; 0: pooled_size");
  }
  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("spatial_scale", &P::spatial_scale)
        .required()
        .at_least(0)
        .at_most(1)
        .help("size of the feature map by that of the image");
    d.field("output_dim", &P::output_dim)
        .required()
        .at_least(1)
        .at_most(1 << 16)
        .help("channels of the result");
    d.field("pooled_size", &P::pooled_size)
        .required()
        .at_least(1)
        .at_most(kMostBins)
        .help("height and width of the result");
  }

  static constexpr std::int64_t kMostBins = 256;
  std::int64_t groups() const { return group_size == 0 ? pooled_size : group_size; }
};

struct DeformablePsroiParam : PsroiParam {
  std::int64_t part_size = 0;
  std::int64_t sample_per_part = 1;
  double trans_std = 0;
  bool no_trans = false;

  static void declare(AttrDeclarer<DeformablePsroiParam>& d) {
    declare_common(d);
    d.field("group_size", &DeformablePsroiParam::group_size)
        .required()
        .at_least(1)
        .at_most(kMostBins)
        .help("groups of channels along each axis");
    d.field("part_size", &DeformablePsroiParam::part_size)
        .at_least(0)
        .at_most(kMostBins)
        .help("height and width of trans; 0: pooled_size");
    d.field("sample_per_part", &DeformablePsroiParam::sample_per_part)
        .at_least(1)
        .at_most(kMostBins)
        .help("points per bin and axis");
    d.field("trans_std", &DeformablePsroiParam::trans_std)
        .at_least(0)
        .at_most(1)
        .help("scale of trans");
    d.field("no_trans", &DeformablePsroiParam::no_trans).help("no third input");
  }
  std::int64_t parts() const { return part_size == 0 ? pooled_size : part_size; }
};

void infer_psroi(const PsroiParam& p, InferContext& c) {
  c.unify_dtypes();
  const std::int64_t needed = p.output_dim * p.groups() * p.groups();
  const Shape& data = c.input_shape(0);
  const bool fits = !data.known_rank() ||
                    (data.rank() == 4 && (!data[1].is_constant() || data[1].value() >= needed));
  if (!fits) {
    c.fail_input(0, fmt::format("4 dimensions and at least {} channels (output_dim {}, {} groups "
                                "along each axis)",
                                needed, p.output_dim, p.groups()));
  }
  c.set_input_shape(1, Shape{Dim(), 5});
  c.set_output_shape(0, Shape{c.input_shape(1)[0], p.output_dim, p.pooled_size, p.pooled_size});
}

void infer_deformable_psroi(const DeformablePsroiParam& p, InferContext& c) {
  infer_psroi(p, c);
  if (p.no_trans) return;
  c.set_input_shape(2, Shape{c.input_shape(1)[0], Dim(), p.parts(), p.parts()});
  const Dim& channels = c.input_shape(2)[1];
  if (!channels.is_constant()) return;
  const std::int64_t classes = channels.value() / 2;
  if (classes == 0 || channels.value() % 2 != 0 || p.output_dim % classes != 0) {
    c.fail_input(2, fmt::format("2 channels for each of a number of classes that divides "
                                "output_dim {}",
                                p.output_dim));
  }
}

// A number as the data's element type has it.
double rounded(const Translation& t, double value) {
  const auto single = static_cast<float>(value);
  return t.input_type(0).dtype == DType::kFloat16 ? half_to_float(float_to_half(single)) : single;
}

double quotient(const Translation& t, double above, double below) {
  return rounded(t, rounded(t, above) / below);
}

// What is computed of regions. Arrays have the axes (regions, channels, rows, columns) of the
// result, and those of them that they depend on are longer than 1.
class Regions {
 public:
  Regions(const PsroiParam& p, Translation& t)
      : p_(p), t_(t), b_(t.b), steps_(t.b, t.input_type(0).dtype), regions_(t.input_shape(1)[0]) {
    image_ = b_.cast(column(0), DType::kInt64);
    const Value images = onnx::size_tensor(b_, t.input_shape(0)[0]);
    missing_ = b_.binary("Or", b_.binary("Less", image_, b_.int_scalar(0)),
                         b_.unary("Not", b_.binary("Less", image_, images)));
    image_ = b_.where(missing_, b_.int_scalar(0), image_);
  }

  /// True where there is no such image: MXNet then reads what is not its.
  Value missing() const { return missing_; }

  const Stepwise& steps() const { return steps_; }
  Value number(double value) { return steps_.number(value); }

  /// Start and length of the regions along axis 0 or 1 of the image.
  std::pair<Value, Value> extent(std::size_t axis, double shift) {
    const auto first = static_cast<std::int64_t>(2 - axis);
    const Value scale = number(static_cast<float>(p_.spatial_scale));
    const auto place = [&](Value pixel) {
      const Value scaled = steps_.mul(pixel, scale);
      return shift == 0 ? scaled : steps_.sub(scaled, number(shift));
    };
    const Value start = place(round_away(b_, column(first)));
    const Value end = place(steps_.add(round_away(b_, column(first + 2)), number(1)));
    return {start, b_.binary("Max", steps_.sub(end, start), number(0.1))};
  }

  /// The numbers of the bins along an axis, from `first` on.
  Value bins(std::size_t axis, std::int64_t first) {
    std::vector<double> numbers;
    for (std::int64_t i = 0; i < p_.pooled_size; ++i)
      numbers.push_back(static_cast<double>(first + i));
    return b_.constant(make_tensor_as(steps_.computing(),
                                      axis == 0 ? std::vector<std::int64_t>{p_.pooled_size, 1}
                                                : std::vector<std::int64_t>{p_.pooled_size},
                                      numbers));
  }

  /// The number of the plane, a channel of an image, that a bin is taken from.
  Value planes() {
    spend_elements(p_.output_dim, p_.pooled_size * p_.pooled_size);
    std::vector<std::int64_t> channels;
    for (std::int64_t c = 0; c < p_.output_dim; ++c) {
      for (std::int64_t y = 0; y < p_.pooled_size; ++y) {
        for (std::int64_t x = 0; x < p_.pooled_size; ++x)
          channels.push_back((c * p_.groups() + group(y)) * p_.groups() + group(x));
      }
    }
    const Value own =
        b_.constant(make_tensor({p_.output_dim, p_.pooled_size, p_.pooled_size}, channels));
    return b_.add(b_.mul(image_, onnx::size_tensor(b_, t_.input_shape(0)[1])), own);
  }

 private:
  Value column(std::int64_t index) {
    const Value regions = steps_.take(t_.input(1));
    return onnx::reshape(b_, b_.gather(regions, b_.int_scalar(index), 1), Shape{regions_, 1, 1, 1});
  }

  std::int64_t group(std::int64_t bin) const {
    const auto scaled = static_cast<double>(bin * p_.groups());
    const double group = quotient(t_, scaled, static_cast<double>(p_.pooled_size));
    return std::min(static_cast<std::int64_t>(group), p_.groups() - 1);
  }

  const PsroiParam& p_;
  Translation& t_;
  Builder& b_;
  Stepwise steps_;
  Dim regions_;
  Value image_;
  Value missing_;
};

// The first pixel of each bin along an axis, and the first behind it.
std::pair<Value, Value> bin_ends(Builder& b, const PsroiParam& p, Regions& regions,
                                 std::size_t axis, const Dim& size) {
  const auto [start, length] = regions.extent(axis, 0);
  const Stepwise& steps = regions.steps();
  const Value bin = steps.div(length, regions.number(static_cast<double>(p.pooled_size)));
  const Value last = onnx::size_tensor(b, size);
  const auto end = [&, start = start](std::int64_t first, std::string_view round) {
    const Value place = steps.add(steps.mul(regions.bins(axis, first), bin), start);
    const Value pixel = b.cast(b.unary(round, place), DType::kInt64);
    return b.binary("Min", b.binary("Max", pixel, b.int_scalar(0)), last);
  };
  return {end(0, "Floor"), end(1, "Ceil")};
}

void translate_psroi(const PsroiParam& p, Translation& t) {
  if (!expect_floating(t)) return;
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  Regions regions(p, t);
  Value sums = b.cast(t.input(0), DType::kFloat64);
  for (const std::int64_t axis : {2, 3})
    sums = b.emit("CumSum", {sums, b.int_scalar(axis)}, {}, b.type(sums));
  sums = onnx::pad(b, sums, {0, 0, 1, 1}, {0, 0, 0, 0}, "constant");
  const Shape table = b.shape(sums);
  sums = onnx::reshape(b, sums, Shape{table.count()});
  const auto [top, bottom] = bin_ends(b, p, regions, 0, data[2]);
  const auto [left, right] = bin_ends(b, p, regions, 1, data[3]);
  const Value first_row = b.mul(regions.planes(), onnx::size_tensor(b, table[2]));
  const Value row_length = onnx::size_tensor(b, table[3]);
  const auto sum_to = [&](Value row, Value column) {
    return b.gather(sums, b.add(b.mul(b.add(first_row, row), row_length), column), 0);
  };
  const Value sum =
      b.add(b.sub(b.sub(sum_to(bottom, right), sum_to(top, right)), sum_to(bottom, left)),
            sum_to(top, left));
  const Value height = b.sub(bottom, top);
  const Value width = b.sub(right, left);
  const Value none = b.int_scalar(0);
  const Value full =
      b.binary("And", b.binary("Greater", height, none), b.binary("Greater", width, none));
  const Value exists = b.binary("And", full, b.unary("Not", regions.missing()));
  const Stepwise& steps = regions.steps();
  const auto as_data = [&](Value x) { return steps.rounded(b.cast(x, steps.computing())); };
  const Value average = steps.div(as_data(sum), as_data(b.mul(height, width)));
  t.set_output(0, steps.give(b.where(exists, average, regions.number(0))));
}

// One more axis at the end.
Value with_axis(Builder& b, Value x) {
  return onnx::unsqueeze(b, x, {static_cast<std::int64_t>(b.shape(x).rank())});
}

// How far each bin is shifted along an axis, in lengths of the region.
Value shift(const DeformablePsroiParam& p, Translation& t, const Stepwise& steps,
            std::size_t axis) {
  Builder& b = t.b;
  const Shape& trans = t.input_shape(2);
  const Dim classes = floor_div(trans[1], 2);
  std::vector<std::int64_t> part;
  for (std::int64_t bin = 0; bin < p.pooled_size; ++bin) {
    const double scaled =
        quotient(t, static_cast<double>(bin), static_cast<double>(p.pooled_size)) *
        static_cast<double>(p.parts());
    part.push_back(static_cast<std::int64_t>(rounded(t, scaled)));
  }
  Value shifts =
      onnx::reshape(b, steps.take(t.input(2)), Shape{trans[0], classes, 2, p.parts(), p.parts()});
  // Along x first.
  shifts = b.gather(shifts, b.int_scalar(axis == 0 ? 1 : 0), 2);
  if (p.parts() != p.pooled_size) {
    shifts = b.gather(b.gather(shifts, b.ints(part), 2), b.ints(part), 3);
  }
  if (!(classes == Dim(1))) {
    const Value channels = counting(b, p.output_dim);
    const Value per_class = onnx::size_tensor(b, floor_div(Dim(p.output_dim), classes));
    shifts = b.gather(shifts, b.div(channels, per_class), 1);
  }
  return steps.mul(shifts, steps.number(static_cast<float>(p.trans_std)));
}

// Of the points along an axis, with an axis more for the points of a bin: whether they are inside,
// the pixels around them, and how far they are from the first of these.
struct Points {
  Value inside;
  std::array<Value, 2> pixels;
  std::array<Value, 2> weights;
};

Points points_of(const DeformablePsroiParam& p, Translation& t, Regions& regions,
                 std::size_t axis) {
  Builder& b = t.b;
  const Stepwise& steps = regions.steps();
  const DType dtype = steps.computing();
  const auto [start, length] = regions.extent(axis, 0.5);
  const Value bin = steps.div(length, regions.number(static_cast<double>(p.pooled_size)));
  const Value step = steps.div(bin, regions.number(static_cast<double>(p.sample_per_part)));
  Value first = steps.add(steps.mul(regions.bins(axis, 0), bin), start);
  if (!p.no_trans) first = steps.add(first, steps.mul(shift(p, t, steps, axis), length));
  const Value numbers = b.cast(counting(b, p.sample_per_part), dtype);
  Value place = steps.add(with_axis(b, first), steps.mul(with_axis(b, step), numbers));
  // Rows of points come before columns.
  place = axis == 0 ? with_axis(b, place) : onnx::unsqueeze(b, place, {4});
  const Value size = b.cast(onnx::size_tensor(b, t.input_shape(0)[axis + 2]), dtype);
  const Value half = regions.number(0.5);
  const Value outside = b.binary("Or", b.binary("Less", place, regions.number(-0.5)),
                                 b.binary("Greater", place, b.sub(size, half)));
  const Value last = b.sub(size, regions.number(1));
  place = b.binary("Min", b.binary("Max", place, regions.number(0)), last);
  const Value low = b.unary("Floor", place);
  const Value rest = steps.sub(place, low);
  return {b.unary("Not", outside),
          {b.cast(low, DType::kInt64), b.cast(b.unary("Ceil", place), DType::kInt64)},
          {steps.sub(regions.number(1), rest), rest}};
}

void translate_deformable_psroi(const DeformablePsroiParam& p, Translation& t) {
  if (!expect_floating(t)) return;
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  Regions regions(p, t);
  const Points rows = points_of(p, t, regions, 0);
  const Points columns = points_of(p, t, regions, 1);
  const Stepwise& steps = regions.steps();
  const DType dtype = steps.computing();
  const Value pixels = onnx::reshape(b, steps.take(t.input(0)), Shape{data.count()});
  const Value first_row =
      with_axis(b, with_axis(b, b.mul(regions.planes(), onnx::size_tensor(b, data[2]))));
  const Value row_length = onnx::size_tensor(b, data[3]);
  Value sum;
  for (const std::size_t x : {0U, 1U}) {
    for (const std::size_t y : {0U, 1U}) {
      const Value row = b.mul(b.add(first_row, rows.pixels.at(y)), row_length);
      const Value values = b.gather(pixels, b.add(row, columns.pixels.at(x)), 0);
      const Value weight = steps.mul(columns.weights.at(x), rows.weights.at(y));
      const Value part = steps.mul(weight, values);
      sum = sum.present() ? steps.add(sum, part) : part;
    }
  }
  const Value inside = b.binary("And", rows.inside, columns.inside);
  const Value total =
      onnx::reduce(b, "ReduceSum", b.where(inside, sum, regions.number(0)), {4, 5}, false);
  const Value count = onnx::reduce(b, "ReduceSum", b.cast(inside, dtype), {4, 5}, false);
  const Value exists = b.binary("And", b.binary("Greater", count, regions.number(0)),
                                b.unary("Not", regions.missing()));
  const Value average = steps.div(steps.rounded(total), count);
  t.set_output(0, steps.give(b.where(exists, average, regions.number(0))));
}

const char* const kMissing =
    "Of a region without an image, where MXNet reads what lies in its "
    "memory, the result is 0.";

}  // namespace

void register_psroi(Registry& r) {
  r.add<PsroiParam>({"_contrib_PSROIPooling"})
      .summary("Averages in the bins of regions, each bin with channels of its own.")
      .inputs({{"data", InputRole::kData}, {"rois", InputRole::kData}})
      .infer(infer_psroi)
      .translate(translate_psroi)
      .note(std::string(kHalfSumNote))
      .note("An infinite or NaN pixel makes NaN of bins to its right and below it, too.")
      .note(kMissing);
  r.add<DeformablePsroiParam>({"_contrib_DeformablePSROIPooling"})
      .summary("Averages of points in shifted bins of regions, each with channels of its own.")
      .inputs_by([](const DeformablePsroiParam& p) {
        std::vector<InputDef> inputs = {{"data", InputRole::kData}, {"rois", InputRole::kData}};
        if (!p.no_trans) inputs.push_back({"trans", InputRole::kData});
        return inputs;
      })
      .infer(infer_deformable_psroi)
      .translate(translate_deformable_psroi)
      .note(std::string(kHalfSumNote))
      .note(kMissing);
}

}  // namespace mx2onnx
