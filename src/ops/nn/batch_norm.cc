// Normalisation with the statistics of training: BatchNorm, its older form and its relatives
// (src/operator/nn/batch_norm.cc, batch_norm_v1.cc, contrib/sync_batch_norm.cc,
// contrib/batch_norm_relu.cc).
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
    d.field("eps", &P::eps).at_least(0).help("added to the variance");
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

}  // namespace

void register_batch_norm(Registry& r) {
  r.add<BatchNormParam>({"BatchNorm", "_npx_batch_norm"})
      .summary("Normalises with the moving mean and variance of each channel.")
      .inputs(batch_norm_inputs())
      .outputs({"output", "mean", "var"})
      .infer(infer_batch_norm)
      .translate(translate_batch_norm)
      .note("At inference the third output is 1 / sqrt(variance + eps), as in MXNet.");
  r.add<BatchNormParam>({"_contrib_BatchNormWithReLU", "_npx_batch_norm_with_relu"})
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
  r.add<SyncBatchNormParam>({"_contrib_SyncBatchNorm", "_npx_sync_batch_norm"})
      .summary("Batch normalisation whose statistics are shared between devices in training.")
      .inputs(batch_norm_inputs())
      .outputs({"output", "mean", "var"})
      .infer([](const SyncBatchNormParam& p, InferContext& c) { infer_batch_norm(p, c); })
      .translate(translate_sync_batch_norm)
      .note("The outputs mean and var are refused: MXNet leaves them undefined at inference.");
}

}  // namespace mx2onnx
