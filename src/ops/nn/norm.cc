// Normalisation with statistics of the data itself: InstanceNorm, LayerNorm, GroupNorm,
// L2Normalization (src/operator/instance_norm-inl.h, nn/layer_norm.cc, nn/group_norm.cc,
// l2_normalization-inl.h). BatchNorm is in batch_norm.cc.
#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

// The output is like the data. False as long as the number of dimensions is not known.
bool infer_like_data(InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  return c.input_shape(0).known_rank();
}

// gamma and beta have an element for each place along an axis of the data, and may know its size.
void infer_scale(InferContext& c, std::size_t axis) {
  for (std::size_t i = 1; i <= 2; ++i) c.set_input_shape(i, Shape{c.input_shape(0)[axis]});
  Shape back = Shape::unknown_dims(c.input_shape(0).rank());
  back[axis] = c.input_shape(1)[0];
  c.set_input_shape(0, back);
}

struct InstanceNormParam {
  double eps = 1e-3;
  static void declare(AttrDeclarer<InstanceNormParam>& d) {
    d.field("eps", &InstanceNormParam::eps).at_least(0).help("added to the variance");
  }
};

void infer_instance_norm(const InstanceNormParam& /*p*/, InferContext& c) {
  if (!infer_like_data(c)) return;
  const Shape& data = c.input_shape(0);
  if (data.rank() < 3) c.fail_input(0, "3 dimensions or more");
  infer_scale(c, 1);
}

void translate_instance_norm(const InstanceNormParam& p, Translation& t) {
  t.set_output(0, t.b.emit("InstanceNormalization", {t.input(0), t.input(1), t.input(2)},
                           {{"epsilon", p.eps}}, t.input_type(0)));
}

// Mean and the deviation sqrt(variance + eps) over some axes, dimensions kept.
struct Moments {
  Value centred;
  Value mean;
  Value deviation;
};

// Also where nodes between are removed.
bool is_cast(const Builder& b, Value x) {
  const onnx::Node* node = b.producer(x);
  while (node != nullptr && node->op_type == "Identity") {
    node = b.producer(node->inputs[0]);
  }
  return node != nullptr && node->op_type == "Cast";
}

// Spelled so that ONNX Runtime recognises a LayerNormalization: Pow(x - mean, 2), ReduceMean, Add,
// Sqrt. Of a Cast it must not: ONNX Runtime (1.32) would normalise what is cast, in its element
// type, and does not load the model if that is an integer.
Moments moments_over(Builder& b, Value x, const onnx::Ints& axes, double eps) {
  const DType dtype = b.dtype(x);
  Moments m;
  m.mean = onnx::reduce(b, "ReduceMean", x, axes, true);
  m.centred = b.sub(x, m.mean);
  const Value square =
      is_cast(b, x) ? b.mul(m.centred, m.centred) : b.binary("Pow", m.centred, b.scalar(dtype, 2));
  const Value variance = onnx::reduce(b, "ReduceMean", square, axes, true);
  m.deviation = b.unary("Sqrt", b.add(variance, b.scalar(dtype, eps)));
  return m;
}

/// Of the normalisations that can give their statistics.
struct MomentsParam {
  double eps = 1e-5;
  bool output_mean_var = false;

  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("eps", &P::eps).at_least(0).help("added to the variance");
    d.field("output_mean_var", &P::output_mean_var).help("two more outputs: mean and deviation");
  }
};

struct LayerNormParam : MomentsParam {
  std::int64_t axis = -1;

  static void declare(AttrDeclarer<LayerNormParam>& d) {
    d.field("axis", &LayerNormParam::axis).help("that is normalised");
    declare_common(d);
  }
};

void infer_layer_norm(const LayerNormParam& p, InferContext& c) {
  if (!infer_like_data(c)) return;
  const Shape& data = c.input_shape(0);
  const std::size_t axis = checked_axis(p.axis, data.rank());
  infer_scale(c, axis);
  Shape stats = c.input_shape(0);
  stats[axis] = 1;
  c.set_output_shape(1, stats);
  c.set_output_shape(2, stats);
}

void translate_layer_norm(const LayerNormParam& p, Translation& t) {
  Builder& b = t.b;
  const std::size_t rank = t.input_rank(0);
  const std::size_t axis = checked_axis(p.axis, rank);
  const bool needs_stats = t.output_used(1) || t.output_used(2);
  if (axis + 1 == rank && !needs_stats && b.takes("LayerNormalization", t.input_type(0).dtype)) {
    t.set_output(0, b.emit("LayerNormalization", {t.input(0), t.input(1), t.input(2)},
                           {{"axis", -1}, {"epsilon", p.eps}}, t.input_type(0)));
    return;
  }
  // Counted from the end, ONNX Runtime sees that it is the last axis also where it knows no shape.
  const auto at = static_cast<std::int64_t>(axis) - static_cast<std::int64_t>(rank);
  const Moments m = moments_over(b, t.input(0), {at}, p.eps);
  const Value normal = b.div(m.centred, m.deviation);
  const Value scaled = b.mul(normal, along_axis(b, t.input(1), axis, rank));
  t.set_output(0, b.add(scaled, along_axis(b, t.input(2), axis, rank)));
  if (t.output_used(1)) t.set_output(1, m.mean);
  if (t.output_used(2)) t.set_output(2, m.deviation);
}

struct GroupNormParam : MomentsParam {
  std::int64_t num_groups = 1;

  static void declare(AttrDeclarer<GroupNormParam>& d) {
    d.field("num_groups", &GroupNormParam::num_groups).at_least(1).help("groups of channels");
    declare_common(d);
  }
};

// The rank has to be known.
void infer_groups(const GroupNormParam& p, InferContext& c) {
  const Shape& data = c.input_shape(0);
  if (data.rank() < 3) c.fail_input(0, "3 dimensions or more");
  c.set_output_shape(1, Shape{data[0], p.num_groups});
  c.set_output_shape(2, Shape{data[0], p.num_groups});
}

void infer_group_norm(const GroupNormParam& p, InferContext& c) {
  if (!infer_like_data(c)) return;
  infer_groups(p, c);
  // One scale and one offset per group, not per channel.
  c.set_input_shape(1, Shape{p.num_groups});
  c.set_input_shape(2, Shape{p.num_groups});
}

void infer_group_norm_per_channel(const GroupNormParam& p, InferContext& c) {
  if (!infer_like_data(c)) return;
  infer_groups(p, c);
  infer_scale(c, 1);
}

// (N, groups, all the rest of a group)
Value in_groups(const GroupNormParam& p, Translation& t) {
  const Shape& data = t.input_shape(0);
  const Dim per_group = floor_div(data.count(1, data.rank()), p.num_groups);
  return onnx::reshape(t.b, t.input(0), Shape{data[0], p.num_groups, per_group});
}

bool needs_moments(const Translation& t) { return t.output_used(1) || t.output_used(2); }

void set_moments(Translation& t, const Moments& m) {
  if (t.output_used(1)) t.set_output(1, onnx::squeeze(t.b, m.mean, {2}));
  if (t.output_used(2)) t.set_output(2, onnx::squeeze(t.b, m.deviation, {2}));
}

Value scaled(Translation& t, Value normal, std::size_t rank) {
  Builder& b = t.b;
  return b.add(b.mul(normal, along_axis(b, t.input(1), 1, rank)),
               along_axis(b, t.input(2), 1, rank));
}

void translate_group_norm(const GroupNormParam& p, Translation& t) {
  Builder& b = t.b;
  const Value grouped = in_groups(p, t);
  Value normal;
  if (needs_moments(t)) {
    const Moments m = moments_over(b, grouped, {2}, p.eps);
    normal = scaled(t, b.div(m.centred, m.deviation), 3);
    set_moments(t, m);
  } else {
    normal = b.emit("InstanceNormalization", {grouped, t.input(1), t.input(2)},
                    {{"epsilon", p.eps}}, b.type(grouped));
  }
  t.set_output(0, onnx::reshape(b, normal, t.input_shape(0)));
}

void translate_group_norm_per_channel(const GroupNormParam& p, Translation& t) {
  Builder& b = t.b;
  const Value grouped = in_groups(p, t);
  Value normal;
  if (needs_moments(t)) {
    const Moments m = moments_over(b, grouped, {2}, p.eps);
    normal = b.div(m.centred, m.deviation);
    set_moments(t, m);
  } else {
    const Shape groups{p.num_groups};
    normal = b.emit("InstanceNormalization",
                    {grouped, onnx::fill(b, b.dtype(grouped), 1, groups),
                     onnx::fill(b, b.dtype(grouped), 0, groups)},
                    {{"epsilon", p.eps}}, b.type(grouped));
  }
  const Shape& data = t.input_shape(0);
  t.set_output(0, scaled(t, onnx::reshape(b, normal, data), data.rank()));
}

struct L2NormalizationParam {
  enum class Mode { kInstance, kSpatial, kChannel };
  double eps = 1e-10;
  Mode mode = Mode::kInstance;

  static void declare(AttrDeclarer<L2NormalizationParam>& d) {
    d.field("eps", &L2NormalizationParam::eps).at_least(0).help("added to the sum of squares");
    d.one_of("mode", &L2NormalizationParam::mode, {"instance", "spatial", "channel"})
        .help(
            "over each example, over the positions of each channel, or over the channels at each "
            "position");
  }
};

void translate_l2_normalization(const L2NormalizationParam& p, Translation& t) {
  Builder& b = t.b;
  auto axes = iota(t.input_rank(0));
  const bool too_flat = p.mode != L2NormalizationParam::Mode::kInstance && axes.size() < 3;
  if (too_flat) fail(ErrorCode::kModel, "expected data of 3 dimensions or more for this mode");
  axes.erase(axes.begin(), axes.begin() + (p.mode == L2NormalizationParam::Mode::kSpatial ? 2 : 1));
  if (p.mode == L2NormalizationParam::Mode::kChannel) axes = {1};
  const Value x = t.input(0);
  const Value sum = onnx::reduce(b, "ReduceSum", b.mul(x, x), axes, true);
  const Value norm = b.unary("Sqrt", b.add(sum, b.scalar(b.dtype(x), p.eps)));
  t.set_output(0, b.div(x, norm));
}

std::vector<InputDef> scale_offset_inputs() {
  return {{"data", InputRole::kData}, {"gamma", InputRole::kWeight}, {"beta", InputRole::kWeight}};
}

}  // namespace

void register_norm(Registry& r) {
  r.add<InstanceNormParam>({"InstanceNorm", "_npx_instance_norm"})
      .summary("Normalises each channel of each example.")
      .inputs(scale_offset_inputs())
      .infer(infer_instance_norm)
      .translate(translate_instance_norm);
  r.add<LayerNormParam>({"LayerNorm", "_npx_layer_norm"})
      .summary("Normalises along one axis.")
      .inputs(scale_offset_inputs())
      .outputs({"output", "mean", "std"})
      .infer(infer_layer_norm)
      .translate(translate_layer_norm);
  r.add<GroupNormParam>({"GroupNorm", "_npx_group_norm"})
      .summary("Normalises groups of channels of each example.")
      .inputs(scale_offset_inputs())
      .outputs({"output", "mean", "std"})
      .infer(infer_group_norm)
      .translate(translate_group_norm)
      .variant(
          OriginRange::since(2, 0), "gamma and beta have an element per channel, not per group",
          [](OpDeclarer<GroupNormParam>& variant) {
            variant.infer(infer_group_norm_per_channel).translate(translate_group_norm_per_channel);
          });
  r.add<L2NormalizationParam>({"L2Normalization"})
      .summary("Divides by the Euclidean norm of each example, position or channel.")
      .infer(infer_same<L2NormalizationParam>)
      .translate(translate_l2_normalization)
      .note(std::string(kHalfSumNote));
}

}  // namespace mx2onnx
