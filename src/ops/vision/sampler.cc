// Images sampled at points between their pixels: BilinearSampler, GridGenerator, SpatialTransformer
// (src/operator/bilinear_sampler.cc, grid_generator-inl.h, spatial_transformer-inl.h).
//
// Of a point, -1 and 1 are the centers of the first and the last pixel. Each of the four pixels
// around it counts as 0 if it lies outside, so the result fades out over one pixel. This is ONNX's
// GridSample with align_corners; where that is missing, pixels are gathered.
#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/stepwise.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// What of a coordinate is needed along one axis: the two pixels beside it, counted in an image with
// a margin of one pixel, and their weights.
struct Neighbours {
  Value before;
  Value after;
  Value before_weight;
  Value after_weight;
};

Value as_float(Builder& b, DType dtype, const Dim& size) {
  if (size.is_constant()) return b.scalar(dtype, static_cast<double>(size.value()));
  return b.cast(onnx::size_tensor(b, size), dtype);
}

// The pixel moved into the margin if it is outside, and so is what is not a number.
Value within_margin(Builder& b, Value pixel, Value size) {
  const Value one = b.scalar(b.dtype(pixel), 1);
  const Value least = b.scalar(b.dtype(pixel), -1);
  const Value low = b.where(b.binary("Greater", pixel, least), pixel, least);
  const Value inside = b.binary("Min", low, size);
  return b.cast(b.add(inside, one), DType::kInt64);
}

Neighbours neighbours(Builder& b, const Stepwise& steps, Value coordinate, const Dim& size) {
  const DType dtype = steps.computing();
  const Value one = b.scalar(dtype, 1);
  const Value pixel = steps.div(steps.mul(steps.add(coordinate, one), as_float(b, dtype, size - 1)),
                                b.scalar(dtype, 2));
  const Value floor = b.unary("Floor", pixel);
  const Value width = as_float(b, dtype, size);
  const Value before_weight = steps.sub(one, steps.sub(pixel, floor));
  return {within_margin(b, floor, width), within_margin(b, b.add(floor, one), width), before_weight,
          steps.sub(one, before_weight)};
}

Value gather_samples(Builder& b, Value images, Value points) {
  const Stepwise steps(b, b.dtype(images));
  const Shape from = b.shape(images);
  const Shape to = b.shape(points);
  const DType dtype = steps.computing();
  const Dim count = to[1] * to[2];
  const Dim width = from[3] + 2;
  const Value margin = onnx::pad(b, steps.take(images), {0, 0, 1, 1}, {0, 0, 1, 1}, "constant");
  const Value pixels = onnx::reshape(b, b.transpose(margin, {0, 2, 3, 1}),
                                     {from[0], (from[2] + 2) * width, from[1]});
  const Value flat = onnx::reshape(b, steps.take(points), {to[0], count, 2});
  const auto coordinate = [&](std::int64_t i) {
    return onnx::slice(b, flat, {{2, i, i + 1}}, {to[0], count, 1});
  };
  const Neighbours x = neighbours(b, steps, coordinate(0), from[3]);
  const Neighbours y = neighbours(b, steps, coordinate(1), from[2]);
  const auto corner = [&](Value row, Value column, Value row_weight, Value column_weight) {
    const Value index = b.add(b.mul(row, onnx::size_tensor(b, width)), column);
    const Value values = b.emit("GatherND", {pixels, index}, {{"batch_dims", 1}},
                                {dtype, {from[0], count, from[1]}});
    return steps.mul(steps.mul(values, row_weight), column_weight);
  };
  Value sum = corner(y.before, x.before, y.before_weight, x.before_weight);
  sum = steps.add(sum, corner(y.before, x.after, y.before_weight, x.after_weight));
  sum = steps.add(sum, corner(y.after, x.before, y.after_weight, x.before_weight));
  sum = steps.give(steps.add(sum, corner(y.after, x.after, y.after_weight, x.after_weight)));
  return onnx::reshape(b, b.transpose(sum, {0, 2, 1}), {from[0], from[1], to[1], to[2]});
}

Value sample(Builder& b, Value images, Value points) {
  // ONNX Runtime samples doubles in some opsets only, and does not round as MXNet does in float16.
  if (!b.has("GridSample") || b.dtype(images) != DType::kFloat32) {
    return gather_samples(b, images, points);
  }
  TensorType result = b.type(images);
  result.shape[2] = b.shape(points)[1];
  result.shape[3] = b.shape(points)[2];
  // The mode is left at its default, whose name changed.
  return b.emit("GridSample", {images, points}, {{"align_corners", 1}}, std::move(result));
}

// `count` numbers from -1 to 1.
Value from_edge_to_edge(Builder& b, DType dtype, std::int64_t count, std::size_t axis) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(-1 + static_cast<double>(i) * 2 / static_cast<double>(count - 1));
  }
  return along_axis(b, b.constant(make_tensor_as(dtype, {count}, values)), axis, 4);
}

// Points of a grid of the given size moved by (N, 6) affine matrices; the coordinates of a point
// are along `axis`, 1 or 3.
Value affine_points(Builder& b, Value matrices, const Tuple& size, std::size_t axis) {
  const Dim batch = b.shape(matrices)[0];
  const DType dtype = b.dtype(matrices);
  const Value rows = onnx::reshape(b, matrices, {batch, 2, 3});
  const auto column = [&](std::int64_t i) {
    const Value part = onnx::slice(b, rows, {{2, i, i + 1}}, {batch, 2, 1});
    return axis == 1 ? onnx::unsqueeze(b, part, {3}) : onnx::reshape(b, part, {batch, 1, 1, 2});
  };
  const std::size_t height_axis = axis == 1 ? 2 : 1;
  const Value x = from_edge_to_edge(b, dtype, size[1], height_axis + 1);
  const Value y = from_edge_to_edge(b, dtype, size[0], height_axis);
  return b.add(b.add(b.mul(column(0), x), b.mul(column(1), y)), column(2));
}

std::vector<AttrProblem> check_target(const Tuple& shape) {
  if (shape.size() == 2 && shape[0] > 1 && shape[1] > 1) return {};
  return {{"target_shape", "expected a height and a width above 1",
           "MXNet divides by the size less 1, and 1 gives NaN"}};
}

struct SamplerParam {
  static void declare(AttrDeclarer<SamplerParam>& d) { d.ignore({"cudnn_off"}); }
};

void infer_sampler(const SamplerParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(4));
  c.set_input_shape(1, Shape{c.input_shape(0)[0], 2, {}, {}});
  c.set_input_shape(0, Shape{c.input_shape(1)[0], {}, {}, {}});
  const Shape& data = c.input_shape(0);
  const Shape& grid = c.input_shape(1);
  c.set_output_shape(0, {data[0], data[1], grid[2], grid[3]});
}

void translate_sampler(const SamplerParam& /*p*/, Translation& t) {
  t.set_output(0, sample(t.b, t.input(0), t.b.transpose(t.input(1), {0, 2, 3, 1})));
}

struct GridParam {
  enum class Transform { kAffine, kWarp };
  Transform transform_type = Transform::kAffine;
  Tuple target_shape{0, 0};

  static void declare(AttrDeclarer<GridParam>& d) {
    d.one_of("transform_type", &GridParam::transform_type, {"affine", "warp"})
        .required()
        .help("affine: the data are matrices; warp: they are how far each pixel moves");
    d.field("target_shape", &GridParam::target_shape)
        .sizes(0, 2)
        .at_least(0)
        .at_most(1 << 12)
        .help("affine: height and width of the grid");
  }
  bool is_affine() const { return transform_type == Transform::kAffine; }
};

void infer_grid(const GridParam& p, InferContext& c) {
  c.set_input_dtype(0, DType::kFloat32);
  c.set_output_dtype(0, DType::kFloat32);
  if (!p.is_affine()) {
    c.set_input_shape(0, Shape{{}, 2, {}, {}});
    c.unify_shapes();
    return;
  }
  c.set_input_shape(0, Shape{c.output_shape(0).rank() == 4 ? c.output_shape(0)[0] : Dim(), 6});
  c.set_output_shape(0, {c.input_shape(0)[0], 2, p.target_shape[0], p.target_shape[1]});
}

// (data + the pixel's own place) / ((size - 1) / 2) - 1, for x and for y.
void translate_grid(const GridParam& p, Translation& t) {
  Builder& b = t.b;
  if (p.is_affine()) return t.set_output(0, affine_points(b, t.input(0), p.target_shape, 1));
  const Shape& shape = t.input_shape(0);
  const auto flows = onnx::split(b, t.input(0), 1, {1, 1});
  std::vector<Value> coordinates;
  for (const std::size_t i : {0U, 1U}) {
    const Dim& size = shape[3 - i];
    const Value place = b.cast(along_axis(b, counting(b, size), 3 - i, 4), DType::kFloat32);
    const Value half = b.div(as_float(b, DType::kFloat32, size - 1), b.scalar(DType::kFloat32, 2));
    coordinates.push_back(b.div(b.add(flows[i], place), half));
  }
  t.set_output(0, b.sub(b.concat(coordinates, 1), b.scalar(DType::kFloat32, 1)));
}

struct TransformerParam {
  enum class Transform { kAffine };
  enum class Sampler { kBilinear };
  Tuple target_shape{0, 0};
  Transform transform_type = Transform::kAffine;
  Sampler sampler_type = Sampler::kBilinear;

  static void declare(AttrDeclarer<TransformerParam>& d) {
    d.field("target_shape", &TransformerParam::target_shape)
        .sizes(0, 2)
        .at_least(0)
        .at_most(1 << 12)
        .help("height and width of the result");
    d.one_of("transform_type", &TransformerParam::transform_type, {"affine"})
        .required()
        .help("the data are matrices");
    d.one_of("sampler_type", &TransformerParam::sampler_type, {"bilinear"})
        .required()
        .help("linear between the four pixels around");
    d.ignore({"cudnn_off"});
  }
};

void infer_transformer(const TransformerParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, Shape::unknown_dims(4));
  c.set_input_shape(1, Shape{c.input_shape(0)[0], 6});
  c.set_input_shape(0, Shape{c.input_shape(1)[0], {}, {}, {}});
  const Shape& data = c.input_shape(0);
  c.set_output_shape(0, {data[0], data[1], p.target_shape[0], p.target_shape[1]});
}

void translate_transformer(const TransformerParam& p, Translation& t) {
  if (t.output_type(0).dtype == DType::kFloat16) {
    return t.refuse("MXNet does not compute this on float16");
  }
  t.set_output(0, sample(t.b, t.input(0), affine_points(t.b, t.input(1), p.target_shape, 3)));
}

const char* const kNotFinite =
    "A point that is infinite or not a number gives NaN in MXNet, and one farther away than 1e17 "
    "nothing; ONNX Runtime's GridSample, which is used from opset 16 on, takes some pixel.";

}  // namespace

void register_sampler(Registry& r) {
  r.add<SamplerParam>({"BilinearSampler"})
      .summary("Images sampled at points by bilinear interpolation.")
      .inputs({{"data", InputRole::kData}, {"grid", InputRole::kData}})
      .infer(infer_sampler)
      .translate(translate_sampler)
      .note(kNotFinite);
  r.add<GridParam>({"GridGenerator"})
      .summary("Points for BilinearSampler, from affine matrices or from a flow.")
      .infer(infer_grid)
      .translate(translate_grid)
      .check([](const GridParam& p, const CheckContext&) {
        return p.is_affine() ? check_target(p.target_shape) : std::vector<AttrProblem>{};
      })
      .note("On float32 only, as in MXNet.");
  r.add<TransformerParam>({"SpatialTransformer"})
      .summary("Images moved by affine matrices.")
      .inputs({{"data", InputRole::kData}, {"loc", InputRole::kData}})
      .infer(infer_transformer)
      .translate(translate_transformer)
      .check([](const TransformerParam& p, const CheckContext&) {
        return check_target(p.target_shape);
      })
      .note(kNotFinite)
      .note("Not on float16, as in MXNet.");
}

}  // namespace mx2onnx
