// Normalisation: BatchNorm and its relatives, InstanceNorm, LayerNorm, GroupNorm, L2Normalization,
// (src/operator/nn/batch_norm.cc, layer_norm.cc, group_norm.cc,
// src/operator/instance_norm-inl.h…).
#include <cmath>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct BatchNormParam {
  double eps = 1e-3;
  bool fix_gamma = true;
  bool output_mean_var = false;
  std::int64_t axis = 1;

  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("eps", &P::eps).help("added to the variance");
    d.field("fix_gamma", &P::fix_gamma).help("gamma is 1, whatever the parameter holds");
    d.field("output_mean_var", &P::output_mean_var).help("two more outputs");
    d.ignore({"momentum", "use_global_stats"});
  }
  static void declare(AttrDeclarer<BatchNormParam>& d) {
    declare_common(d);
    d.ignore({"cudnn_off", "min_calib_range", "max_calib_range"});
    d.field("axis", &BatchNormParam::axis).help("of the channels");
  }
};

struct BatchNormV1Param : BatchNormParam {
  static void declare(AttrDeclarer<BatchNormV1Param>& d) { declare_common(d); }
};

struct SyncBatchNormParam : BatchNormParam {
  static void declare(AttrDeclarer<SyncBatchNormParam>& d) {
    declare_common(d);
    d.ignore({"ndev", "key"});
  }
};

std::vector<InputDef> batch_norm_inputs() {
  return {{"data", InputRole::kData},
          {"gamma", InputRole::kWeight},
          {"beta", InputRole::kWeight},
          {"moving_mean", InputRole::kAux},
          {"moving_var", InputRole::kAux}};
}

void infer_batch_norm(const BatchNormParam& p, InferContext& c) {
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  const DType dtype = c.input(0).dtype == DType::kUnknown ? c.output(0).dtype : c.input(0).dtype;
  c.set_input_dtype(0, dtype);
  c.set_output_dtype(0, dtype);
  // The statistics of half-precision data are single precision.
  const DType stats =
      dtype == DType::kFloat16 || dtype == DType::kBfloat16 ? DType::kFloat32 : dtype;
  for (std::size_t i = 1; i < 5; ++i) c.set_input_dtype(i, stats);
  for (std::size_t i = 1; i < 3; ++i) c.set_output_dtype(i, stats);
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const Shape channels{data[checked_axis(p.axis, data.rank())]};
  for (std::size_t i = 1; i < 5; ++i) c.set_input_shape(i, channels);
  for (std::size_t i = 1; i < 3; ++i) c.set_output_shape(i, channels);
  // The parameters may know what the data does not.
  Shape back = Shape::unknown_dims(data.rank());
  back[checked_axis(p.axis, data.rank())] = c.input_shape(1)[0];
  c.set_input_shape(0, back);
}

Value ones(Builder& b, Value like) { return onnx::fill(b, b.dtype(like), 1, b.shape(like)); }

// For channels along another axis than 1 (or data ONNX's operator has no place for): x * scale +
// offset.
Value scale_and_offset(Builder& b, Value x, const std::vector<Value>& stats, double eps,
                       std::size_t axis) {
  const DType dtype = b.dtype(stats[0]);
  const Value scale = b.div(stats[0], b.unary("Sqrt", b.add(stats[3], b.scalar(dtype, eps))));
  const Value offset = b.sub(stats[1], b.mul(stats[2], scale));
  const std::size_t rank = b.shape(x).rank();
  const Value scaled = b.mul(x, along_axis(b, b.cast(scale, b.dtype(x)), axis, rank));
  return b.add(scaled, along_axis(b, b.cast(offset, b.dtype(x)), axis, rank));
}

Value batch_norm(const BatchNormParam& p, Translation& t) {
  Builder& b = t.b;
  const std::size_t axis = checked_axis(p.axis, t.input_rank(0));
  const Value gamma = p.fix_gamma ? ones(b, t.input(1)) : t.input(1);
  const std::vector<Value> stats{gamma, t.input(2), t.input(3), t.input(4)};
  const bool same_dtype = b.dtype(t.input(0)) == b.dtype(gamma);
  if (axis == 1 && same_dtype) {
    return onnx::batch_normalization(b, t.input(0), stats[0], stats[1], stats[2], stats[3], p.eps);
  }
  if (same_dtype) return scale_and_offset(b, t.input(0), stats, p.eps, axis);
  // Half-precision data is normalised in single precision, as MXNet does.
  const Value wide = b.cast(t.input(0), b.dtype(gamma));
  return b.cast(scale_and_offset(b, wide, stats, p.eps, axis), b.dtype(t.input(0)));
}

// At inference MXNet gives the moving mean, and one over the standard deviation instead of the
// variance.
void set_statistics(const BatchNormParam& p, Translation& t) {
  Builder& b = t.b;
  if (t.output_used(1)) t.set_output(1, t.input(3));
  if (!t.output_used(2)) return;
  const DType dtype = b.dtype(t.input(4));
  const Value deviation = b.unary("Sqrt", b.add(t.input(4), b.scalar(dtype, p.eps)));
  t.set_output(2, b.unary("Reciprocal", deviation));
}

void translate_batch_norm(const BatchNormParam& p, Translation& t) {
  t.set_output(0, batch_norm(p, t));
  set_statistics(p, t);
}

void translate_batch_norm_relu(const BatchNormParam& p, Translation& t) {
  t.set_output(0, t.b.unary("Relu", batch_norm(p, t)));
  set_statistics(p, t);
}

// BatchNorm_v1 gives the moving variance itself.
void translate_batch_norm_v1(const BatchNormV1Param& p, Translation& t) {
  t.set_output(0, batch_norm(p, t));
  if (t.output_used(1)) t.set_output(1, t.input(3));
  if (t.output_used(2)) t.set_output(2, t.input(4));
}

void translate_sync_batch_norm(const SyncBatchNormParam& p, Translation& t) {
  if (t.output_used(1) || t.output_used(2)) {
    return t.refuse(
        "MXNet leaves the mean and variance outputs of this operator undefined at inference");
  }
  t.set_output(0, batch_norm(p, t));
}

struct InstanceNormParam {
  double eps = 1e-3;
  static void declare(AttrDeclarer<InstanceNormParam>& d) {
    d.field("eps", &InstanceNormParam::eps).help("added to the variance");
  }
};

void infer_instance_norm(const InstanceNormParam& /*p*/, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() < 3) c.fail_input(0, "3 dimensions or more");
  c.set_input_shape(1, Shape{data[1]});
  c.set_input_shape(2, Shape{data[1]});
  Shape back = Shape::unknown_dims(data.rank());
  back[1] = c.input_shape(1)[0];
  c.set_input_shape(0, back);
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
  while (node != nullptr && (node->op_type == "Identity" || node->op_type == "Dropout")) {
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

struct LayerNormParam {
  std::int64_t axis = -1;
  double eps = 1e-5;
  bool output_mean_var = false;

  static void declare(AttrDeclarer<LayerNormParam>& d) {
    d.field("axis", &LayerNormParam::axis).help("that is normalised");
    d.field("eps", &LayerNormParam::eps).help("added to the variance");
    d.field("output_mean_var", &LayerNormParam::output_mean_var)
        .help("two more outputs: mean and deviation");
  }
};

void infer_layer_norm(const LayerNormParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  const std::size_t axis = checked_axis(p.axis, data.rank());
  c.set_input_shape(1, Shape{data[axis]});
  c.set_input_shape(2, Shape{data[axis]});
  Shape back = Shape::unknown_dims(data.rank());
  back[axis] = c.input_shape(1)[0];
  c.set_input_shape(0, back);
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

struct GroupNormParam {
  std::int64_t num_groups = 1;
  double eps = 1e-5;
  bool output_mean_var = false;

  static void declare(AttrDeclarer<GroupNormParam>& d) {
    d.field("num_groups", &GroupNormParam::num_groups).at_least(1).help("groups of channels");
    d.field("eps", &GroupNormParam::eps).help("added to the variance");
    d.field("output_mean_var", &GroupNormParam::output_mean_var)
        .help("two more outputs: mean and deviation");
  }
};

void infer_group_norm(const GroupNormParam& p, InferContext& c) {
  c.unify_dtypes();
  c.set_input_shape(0, c.output_shape(0));
  c.set_output_shape(0, c.input_shape(0));
  const Shape& data = c.input_shape(0);
  if (!data.known_rank()) return;
  if (data.rank() < 3) c.fail_input(0, "3 dimensions or more");
  // One scale and one offset per group, not per channel.
  c.set_input_shape(1, Shape{p.num_groups});
  c.set_input_shape(2, Shape{p.num_groups});
  c.set_output_shape(1, Shape{data[0], p.num_groups});
  c.set_output_shape(2, Shape{data[0], p.num_groups});
}

void translate_group_norm(const GroupNormParam& p, Translation& t) {
  Builder& b = t.b;
  const Shape& data = t.input_shape(0);
  // (N, groups, all the rest of a group)
  const Dim per_group = floor_div(data.count(1, data.rank()), p.num_groups);
  const Value grouped = onnx::reshape(b, t.input(0), Shape{data[0], p.num_groups, per_group});
  Value normal;
  if (!t.output_used(1) && !t.output_used(2)) {
    normal = b.emit("InstanceNormalization", {grouped, t.input(1), t.input(2)},
                    {{"epsilon", p.eps}}, b.type(grouped));
  } else {
    const Moments m = moments_over(b, grouped, {2}, p.eps);
    normal = b.div(m.centred, m.deviation);
    normal = b.add(b.mul(normal, along_axis(b, t.input(1), 1, 3)), along_axis(b, t.input(2), 1, 3));
    if (t.output_used(1)) t.set_output(1, onnx::squeeze(b, m.mean, {2}));
    if (t.output_used(2)) t.set_output(2, onnx::squeeze(b, m.deviation, {2}));
  }
  t.set_output(0, onnx::reshape(b, normal, data));
}

struct L2NormalizationParam {
  enum class Mode { kInstance, kSpatial, kChannel };
  double eps = 1e-10;
  Mode mode = Mode::kInstance;

  static void declare(AttrDeclarer<L2NormalizationParam>& d) {
    d.field("eps", &L2NormalizationParam::eps).help("added to the sum of squares");
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
  r.add<BatchNormParam>({"BatchNorm", "_npx_batch_norm"})
      .summary("Normalises with the moving mean and variance of each channel.")
      .inputs(batch_norm_inputs())
      .outputs({"output", "mean", "var"})
      .infer(infer_batch_norm)
      .translate(translate_batch_norm)
      .note("At inference the third output is 1 / sqrt(variance + eps), as in MXNet.");
  r.add<BatchNormParam>({"_contrib_BatchNormWithReLU"})
      .summary("BatchNorm and then relu.")
      .inputs(batch_norm_inputs())
      .outputs({"output", "mean", "var"})
      .infer(infer_batch_norm)
      .translate(translate_batch_norm_relu);
  r.add<BatchNormV1Param>({"BatchNorm_v1"})
      .summary("The older batch normalisation, channels along axis 1.")
      .inputs(batch_norm_inputs())
      .outputs({"output", "mean", "var"})
      .infer([](const BatchNormV1Param& p, InferContext& c) { infer_batch_norm(p, c); })
      .translate(translate_batch_norm_v1);
  r.add<SyncBatchNormParam>({"_contrib_SyncBatchNorm"})
      .summary("Batch normalisation whose statistics are shared between devices in training.")
      .inputs(batch_norm_inputs())
      .outputs({"output", "mean", "var"})
      .infer([](const SyncBatchNormParam& p, InferContext& c) { infer_batch_norm(p, c); })
      .translate(translate_sync_batch_norm)
      .note("The outputs mean and var are refused: MXNet leaves them undefined at inference.");
  r.add<InstanceNormParam>({"InstanceNorm"})
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
  r.add<GroupNormParam>({"GroupNorm"})
      .summary("Normalises groups of channels of each example.")
      .inputs(scale_offset_inputs())
      .outputs({"output", "mean", "std"})
      .infer(infer_group_norm)
      .translate(translate_group_norm);
  r.add<L2NormalizationParam>({"L2Normalization"})
      .summary("Divides by the Euclidean norm of each example, position or channel.")
      .infer(infer_same<L2NormalizationParam>)
      .translate(translate_l2_normalization)
      .note(std::string(kHalfSumNote));
}

}  // namespace mx2onnx
