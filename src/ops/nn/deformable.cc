// Convolution whose window bends: _contrib_DeformableConvolution and
// _contrib_ModulatedDeformableConvolution (src/operator/contrib/deformable_convolution-inl.h,
// modulated_deformable_convolution-inl.h).
//
// The second one is ONNX's DeformConv. The first one differs at the border: a point between the
// last pixel and the end of the image has the last pixel's value, a point before the first pixel is
// 0. Its offsets are changed so that DeformConv does the same. Opsets without DeformConv gather the
// four pixels around each point from an image with a margin of zeros.
#include <fmt/format.h>

#include <array>

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

struct DeformableParam : SlidingWindow {
  std::int64_t num_filter = 0;
  std::int64_t num_group = 1;
  std::int64_t num_deformable_group = 1;
  bool no_bias = false;
  enum class Order { kDefault, kNchw } layout = Order::kDefault;
  /// Of the modulated one: images that MXNet takes at a time.
  std::int64_t im2col_step = 64;

  static void declare(AttrDeclarer<DeformableParam>& d) { declare_common(d); }
  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    declare_window(d, 2, 2);
    d.field("num_filter", &P::num_filter).required().at_least(1).help("channels of the output");
    d.field("num_group", &P::num_group).at_least(1).help("groups of channels that do not mix");
    d.field("num_deformable_group", &P::num_deformable_group)
        .at_least(1)
        .help("groups of channels with offsets of their own");
    d.field("no_bias", &P::no_bias).help("no last input");
    d.one_of("layout", &P::layout, {"None", "NCHW"}).help("channels first in any case");
    d.ignore({"workspace"});
  }

  std::int64_t taps() const { return checked_mul(kernel[0], kernel[1]); }
};

struct ModulatedParam : DeformableParam {
  static void declare(AttrDeclarer<ModulatedParam>& d) {
    declare_common(d);
    d.field("im2col_step", &ModulatedParam::im2col_step)
        .at_least(1)
        .help("MXNet wants a larger batch to be a multiple of it; no other effect");
  }
};

// Places of the inputs.
struct Inputs {
  std::size_t mask = 0;  // 0 if there is none
  std::size_t weight = 0;
  std::size_t bias = 0;  // 0 if there is none
};

Inputs inputs_of(const DeformableParam& p, bool modulated) {
  const std::size_t weight = modulated ? 3 : 2;
  return {modulated ? 2U : 0U, weight, p.no_bias ? 0 : weight + 1};
}

template <bool kModulated>
std::vector<InputDef> list_inputs(const DeformableParam& p) {
  std::vector<InputDef> inputs = {{"data", InputRole::kData}, {"offset", InputRole::kData}};
  if (kModulated) inputs.push_back({"mask", InputRole::kData});
  inputs.push_back({"weight", InputRole::kWeight});
  if (!p.no_bias) inputs.push_back({"bias", InputRole::kWeight});
  return inputs;
}

std::vector<AttrProblem> check_deformable(const DeformableParam& p, const CheckContext& /*c*/) {
  std::vector<AttrProblem> problems;
  check_elements("stride", p.stride, 2, problems);
  check_elements("dilate", p.dilate, 2, problems);
  check_elements("pad", p.pad, 2, problems);
  if (p.num_filter % p.num_group != 0) {
    problems.push_back({"num_group",
                        fmt::format("expected a divisor of num_filter, which is {}, got {}",
                                    p.num_filter, p.num_group),
                        ""});
  }
  return problems;
}

void check_divides(std::string_view attribute, std::int64_t divisor, std::string_view what,
                   const Dim& size) {
  if (!size.is_constant() || size.value() % divisor == 0) return;
  const ErrorScope scope = ErrorScope::attribute(attribute);
  fail(ErrorCode::kModel,
       fmt::format("expected a divisor of {}, which is {}, got {}", what, size.value(), divisor));
}

void infer_deformable(const DeformableParam& p, InferContext& c, bool modulated) {
  c.unify_dtypes();
  const Inputs at = inputs_of(p, modulated);
  if (at.bias != 0) c.set_input_shape(at.bias, Shape{p.num_filter});
  Shape data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() != 4) c.fail_input(0, "4 dimensions");
  if (!data[0].known() && c.output_shape(0).rank() == 4) {
    data[0] = c.output_shape(0)[0];
    c.set_input_shape(0, data);
  }
  const Shape& weight = c.input_shape(at.weight);
  if (weight.rank() == 4 && weight[1].known() && !data[1].is_constant()) {
    data[1] = weight[1] * p.num_group;
    c.set_input_shape(0, data);
  }
  check_divides("num_group", p.num_group, "the number of channels", data[1]);
  check_divides("num_deformable_group", p.num_deformable_group, "the number of channels", data[1]);
  if (modulated) {
    check_divides("num_deformable_group", p.num_deformable_group, "num_filter", p.num_filter);
    if (data[0].is_constant() && data[0].value() > p.im2col_step) {
      check_divides("im2col_step", p.im2col_step, "the batch", data[0]);
    }
  }
  c.set_input_shape(at.weight,
                    Shape{p.num_filter, floor_div(data[1], p.num_group), p.kernel[0], p.kernel[1]});
  Shape result{data[0], p.num_filter, Dim(), Dim()};
  for (std::size_t i = 0; i < 2; ++i) {
    result[i + 2] = p.windows(i, data[i + 2]);
  }
  c.set_output_shape(0, result);
  const Dim points = Dim(p.taps()) * p.num_deformable_group;
  c.set_input_shape(1, Shape{result[0], points * 2, result[2], result[3]});
  if (modulated) c.set_input_shape(at.mask, Shape{result[0], points, result[2], result[3]});
}

// A size as a number of the dtype that broadcasts.
Value number(Builder& b, DType dtype, const Dim& size) {
  if (size.is_constant()) return b.scalar(dtype, static_cast<double>(size.value()));
  return b.cast(onnx::size_tensor(b, size), dtype);
}

// What belongs to one of the two axes; arrays of shape (batch, groups, kernel, kernel, rows,
// columns).
struct Axis {
  Value offset;
  Value base;   // Where the points are without offsets.
  Value place;  // Where they are.
  Value size;   // Of the image.
  Value last;   // Its last pixel.
};

// Without offsets, the points of one axis; broadcasts along the other one.
Value base_places(Builder& b, const DeformableParam& p, DType dtype, std::size_t axis,
                  const Dim& count) {
  spend_elements(p.kernel[axis]);
  std::vector<double> window;
  for (std::int64_t tap = 0; tap < p.kernel[axis]; ++tap)
    window.push_back(static_cast<double>(tap * p.dilate_at(axis) - p.pad_at(axis)));
  std::array<std::int64_t, 4> taps = {1, 1, 1, 1};
  taps[axis] = p.kernel[axis];
  std::vector<Dim> steps(4, 1);
  steps[axis + 2] = count;
  const Value first = b.constant(make_tensor_as(dtype, {taps.begin(), taps.end()}, window));
  Value step = b.cast(counting(b, count), dtype);
  if (p.stride_at(axis) != 1)
    step = b.mul(step, b.scalar(dtype, static_cast<double>(p.stride_at(axis))));
  return b.add(first, onnx::reshape(b, step, Shape(steps)));
}

Axis axis_of(const DeformableParam& p, Translation& t, std::size_t axis) {
  Builder& b = t.b;
  const DType dtype = t.input_type(0).dtype;
  const Shape& out = t.output_shape(0);
  const Dim& size = t.input_shape(0)[axis + 2];
  const Value offsets = onnx::reshape(
      b, t.input(1),
      Shape{out[0], p.num_deformable_group, p.kernel[0], p.kernel[1], 2, out[2], out[3]});
  Axis result;
  result.offset = b.gather(offsets, b.int_scalar(static_cast<std::int64_t>(axis)), 4);
  result.base = base_places(b, p, dtype, axis, out[axis + 2]);
  result.place = b.add(result.offset, result.base);
  result.size = number(b, dtype, size);
  result.last = number(b, dtype, size - 1);
  return result;
}

// MXNet's conditions, which are false for NaN.
Value inside(Builder& b, const Axis& axis, bool modulated) {
  const DType dtype = b.dtype(axis.place);
  const Value low = modulated ? b.binary("Greater", axis.place, b.scalar(dtype, -1))
                              : b.unary("Not", b.binary("Less", axis.place, b.scalar(dtype, 0)));
  return b.binary("And", low, b.binary("Less", axis.place, axis.size));
}

// The offsets of the unmodulated convolution for DeformConv. All but those of points that it would
// treat in another way stay what they are, to the last bit.
Value changed_offsets(const DeformableParam& p, Translation& t) {
  Builder& b = t.b;
  const Value far_away = b.scalar(t.input_type(0).dtype, -3e4);  // A number of float16 too.
  std::vector<Value> parts;
  for (const std::size_t i : {0U, 1U}) {
    const Axis axis = axis_of(p, t, i);
    const Value past_last = b.binary("Greater", axis.place, axis.last);
    const Value held = b.where(past_last, b.sub(axis.last, axis.base), axis.offset);
    const Value changed = b.where(inside(b, axis, false), held, far_away);
    parts.push_back(onnx::unsqueeze(b, changed, {4}));
  }
  return onnx::reshape(b, b.concat(parts, 4), t.input_shape(1));
}

void translate_native(const DeformableParam& p, Translation& t, bool modulated) {
  const Inputs at = inputs_of(p, modulated);
  const Value offset = modulated ? t.input(1) : changed_offsets(p, t);
  onnx::Attributes attrs = {{"kernel_shape", p.kernel},
                            {"strides", p.strides()},
                            {"dilations", p.dilations()},
                            {"pads", both_ends(p.pads())}};
  if (p.num_group != 1) attrs.emplace_back("group", p.num_group);
  if (p.num_deformable_group != 1) attrs.emplace_back("offset_group", p.num_deformable_group);
  t.set_output(0, t.b.emit("DeformConv",
                           {t.input(0), t.input(at.weight), offset,
                            at.bias != 0 ? t.input(at.bias) : Value{},
                            at.mask != 0 ? t.input(at.mask) : Value{}},
                           std::move(attrs), t.output_type(0)));
}

// Of the places along one axis: the pixel before each, counted from the margin, and the weights of
// it and of the next one. Behind the image there are two pixels of margin, so a point that is not
// inside goes to the first of them.
struct Neighbours {
  Value pixel;
  std::array<Value, 2> weights;
};

Neighbours neighbours(Builder& b, const Axis& axis, bool modulated) {
  const DType dtype = b.dtype(axis.place);
  const Value held = modulated ? axis.place : b.binary("Min", axis.place, axis.last);
  const Value place = b.where(inside(b, axis, modulated), held, axis.size);
  const Value low = b.unary("Floor", place);
  const Value rest = b.sub(place, low);
  return {b.add(b.cast(low, DType::kInt64), b.int_scalar(1)),
          {b.sub(b.scalar(dtype, 1), rest), rest}};
}

// The values at the points, (batch, groups, points, channels of a group).
Value sampled(const DeformableParam& p, Translation& t, bool modulated, const Dim& points) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  const Dim batch = data[0];
  const Dim groups = p.num_deformable_group;
  const Dim channels = floor_div(data[1], p.num_deformable_group);
  const Dim width = data[3] + 3;
  const Value padded = onnx::pad(b, t.input(0), {0, 0, 1, 1}, {0, 0, 2, 2}, "constant");
  const Value pixels =
      b.transpose(onnx::reshape(b, padded, Shape{batch, groups, channels, (data[2] + 3) * width}),
                  {0, 1, 3, 2});
  const Neighbours rows = neighbours(b, axis_of(p, t, 0), modulated);
  const Neighbours columns = neighbours(b, axis_of(p, t, 1), modulated);
  const Shape column{batch, groups, points, 1};
  const Value row_length = onnx::size_tensor(b, width);
  const Value first = onnx::reshape(b, b.add(b.mul(rows.pixel, row_length), columns.pixel), column);
  Value sum;
  for (const std::size_t y : {0U, 1U}) {
    for (const std::size_t x : {0U, 1U}) {
      Value index = first;
      if (y == 1) index = b.add(index, row_length);
      if (x == 1) index = b.add(index, b.int_scalar(1));
      const Value values = b.emit("GatherND", {pixels, index}, {{"batch_dims", 2}},
                                  {b.dtype(pixels), Shape{batch, groups, points, channels}});
      const Value weight =
          onnx::reshape(b, b.mul(rows.weights.at(y), columns.weights.at(x)), column);
      const Value part = b.mul(values, weight);
      sum = sum.present() ? b.add(sum, part) : part;
    }
  }
  if (!modulated) return sum;
  return b.mul(sum, onnx::reshape(b, t.input(2), column));
}

void translate_composed(const DeformableParam& p, Translation& t, bool modulated) {
  Builder& b = t.b;
  const Inputs at = inputs_of(p, modulated);
  const Shape& data = t.input_shape(0);
  const Shape& out = t.output_shape(0);
  const Dim places = out[2] * out[3];
  const Dim taps = p.taps();
  const Dim depth = floor_div(data[1], p.num_group) * taps;
  Value samples = sampled(p, t, modulated, taps * places);
  samples = onnx::reshape(b, samples,
                          Shape{data[0], p.num_deformable_group, taps, places,
                                floor_div(data[1], p.num_deformable_group)});
  samples = b.transpose(samples, {0, 1, 4, 2, 3});
  const std::int64_t filters = p.num_filter / p.num_group;
  const bool grouped = p.num_group != 1;
  const Shape columns =
      grouped ? Shape{data[0], p.num_group, depth, places} : Shape{data[0], depth, places};
  const Shape matrix = grouped ? Shape{p.num_group, filters, depth} : Shape{filters, depth};
  const Shape product =
      grouped ? Shape{data[0], p.num_group, filters, places} : Shape{data[0], filters, places};
  Value result = b.emit(
      "MatMul", {onnx::reshape(b, t.input(at.weight), matrix), onnx::reshape(b, samples, columns)},
      {}, {b.dtype(samples), product});
  result = onnx::reshape(b, result, out);
  if (at.bias != 0) result = b.add(result, along_axis(b, t.input(at.bias), 1, 4));
  t.set_output(0, result);
}

template <bool kModulated>
void translate(const DeformableParam& p, Translation& t) {
  if (t.b.has("DeformConv")) return translate_native(p, t, kModulated);
  translate_composed(p, t, kModulated);
}

}  // namespace

void register_deformable(Registry& r) {
  r.add<DeformableParam>({"_contrib_DeformableConvolution", "_npx_deformable_convolution"})
      .summary("Convolution whose points have offsets.")
      .inputs_by(list_inputs<false>)
      .infer([](const DeformableParam& p, InferContext& c) { infer_deformable(p, c, false); })
      .translate(translate<false>)
      .check(check_deformable)
      .note("Of offsets that are infinite or NaN, ONNX's results are other ones than MXNet's.");
  r.add<ModulatedParam>(
       {"_contrib_ModulatedDeformableConvolution", "_npx_modulated_deformable_convolution"})
      .summary("Convolution whose points have offsets and weights.")
      .inputs_by(list_inputs<true>)
      .infer([](const ModulatedParam& p, InferContext& c) { infer_deformable(p, c, true); })
      .translate(translate<true>)
      .check(check_deformable)
      .note("Of offsets that are infinite or NaN, ONNX's results are other ones than MXNet's.");
}

}  // namespace mx2onnx
