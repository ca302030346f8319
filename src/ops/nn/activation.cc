// Activation functions: Activation, LeakyReLU, SoftmaxActivation and the single-function operators.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/expressions/common.h"
#include "ops/expressions/element_types.h"
#include "ops/expressions/real_functions.h"

namespace mx2onnx {
namespace {

using onnx::Builder;
using onnx::Value;

struct ActivationParam {
  enum class Type { kRelu, kSigmoid, kTanh, kSoftrelu, kSoftsign, kLogSigmoid, kMish };
  Type act_type = Type::kRelu;

  static void declare(AttrDeclarer<ActivationParam>& d) {
    d.one_of("act_type", &ActivationParam::act_type,
             {"relu", "sigmoid", "tanh", "softrelu", "softsign", "log_sigmoid", "mish"})
        .required()
        .help("the function; log_sigmoid and mish are of 2.0");
  }
};

void translate_activation(const ActivationParam& p, Translation& t) {
  if (!expect_floating(t)) return;
  const Value x = t.input(0);
  // MXNet's kernel keeps the digits far from 0, which that of the operator of this name does not.
  if (p.act_type == ActivationParam::Type::kLogSigmoid) {
    return t.set_output(0, t.b.unary("Neg", real_function(t.b, "Softplus", t.b.unary("Neg", x))));
  }
  if (p.act_type == ActivationParam::Type::kMish) return t.set_output(0, mish(t.b, x));
  constexpr std::string_view kOps[] = {"Relu", "Sigmoid", "Tanh", "Softplus", "Softsign"};
  t.set_output(0, real_function(t.b, kOps[static_cast<std::size_t>(p.act_type)], x));
}

struct LeakyReluParam {
  enum class Type { kRrelu, kLeaky, kPrelu, kElu, kSelu, kGelu };
  Type act_type = Type::kLeaky;
  double slope = 0.25;
  double lower_bound = 0.125;
  double upper_bound = 0.334;

  static void declare(AttrDeclarer<LeakyReluParam>& d) {
    d.one_of("act_type", &LeakyReluParam::act_type,
             {"rrelu", "leaky", "prelu", "elu", "selu", "gelu"})
        .help("the function");
    d.field("slope", &LeakyReluParam::slope).help("of leaky and elu");
    d.field("lower_bound", &LeakyReluParam::lower_bound).help("of rrelu's slope");
    d.field("upper_bound", &LeakyReluParam::upper_bound)
        .help("of rrelu's slope, which at inference is the mean of the bounds");
  }
};

constexpr double kSeluAlpha = 1.6732632423543772;
constexpr double kSeluGamma = 1.0507009873554805;

std::vector<InputDef> leaky_relu_inputs(const LeakyReluParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}};
  if (p.act_type == LeakyReluParam::Type::kPrelu) inputs.push_back({"gamma", InputRole::kWeight});
  return inputs;
}

// The axis of the data that a slope of shape (C,) goes along: the second, unless only the first one
// has that size.
std::size_t slope_axis(const Shape& gamma, const Shape& data) {
  if (data.rank() < 2) return 0;
  const bool fits = !gamma[0].is_constant() || !data[1].is_constant() || gamma[0] == data[1];
  return !fits && gamma[0] == data[0] ? 0 : 1;
}

// A slope per channel, unless the parameter says that it is one for all, or has the sizes of the
// first two axes (expand_shape of src/operator/leaky_relu-inl.h).
void infer_slope(InferContext& c) {
  const Shape& gamma = c.input_shape(1);
  const std::size_t rank = c.input_shape(0).rank();
  if (!gamma.known_rank()) {
    if (rank > 0) c.set_input_shape(1, Shape{c.input_shape(0)[rank > 1 ? 1 : 0]});
    return;
  }
  if (gamma.rank() > std::min<std::size_t>(rank, 2)) {
    c.fail_input(1, fmt::format("{} dimensions at most", std::min<std::size_t>(rank, 2)));
  }
  for (std::size_t i = 0; i < gamma.rank(); ++i) {
    if (gamma[i] == Dim(1)) continue;
    const std::size_t axis = gamma.rank() == 2 ? i : slope_axis(gamma, c.input_shape(0));
    Shape slope = Shape::unknown_dims(gamma.rank());
    slope[i] = c.input_shape(0)[axis];
    c.set_input_shape(1, slope);
    Shape data = Shape::unknown_dims(rank);
    data[axis] = c.input_shape(1)[i];
    c.set_input_shape(0, data);
  }
}

void infer_leaky_relu(const LeakyReluParam& p, InferContext& c) {
  const Shape shape = c.input_shape(0).known_rank() ? c.input_shape(0) : c.output_shape(0);
  c.set_input_shape(0, shape);
  c.set_output_shape(0, c.input_shape(0));
  c.unify_dtypes();
  if (p.act_type != LeakyReluParam::Type::kPrelu || !c.input_shape(0).known_rank()) return;
  infer_slope(c);
}

// The slope in the rank of the data.
Value prelu_slope(Translation& t) {
  const std::size_t rank = t.input_rank(0);
  const Shape& gamma = t.input_shape(1);
  if (gamma.rank() == 2) {
    auto dims = gamma.dims();
    dims.resize(rank, Dim(1));
    return onnx::reshape(t.b, t.input(1), Shape(std::move(dims)));
  }
  if (gamma.rank() == 0 || gamma[0] == Dim(1)) return t.input(1);
  return along_axis(t.b, t.input(1), slope_axis(gamma, t.input_shape(0)), rank);
}
Value prelu(Translation& t) {
  return t.b.emit("PRelu", {t.input(0), prelu_slope(t)}, {}, t.input_type(0));
}

// Division by sqrt(2) and this order of factors are what ONNX Runtime recognises and fuses.
Value gelu(Builder& b, Value x) {
  if (b.has("Gelu")) return b.unary("Gelu", x);
  const DType dtype = b.dtype(x);
  const Value erf = b.unary("Erf", b.div(x, b.scalar(dtype, std::sqrt(2.0))));
  return b.mul(b.mul(x, b.add(erf, b.scalar(dtype, 1))), b.scalar(dtype, 0.5));
}

// MXNet computes gelu, and slopes below 0, in float32, for float64 too, and has the constants as
// float32 numbers (mshadow_op.h, xelu). ONNX Runtime has kernels of float32 alone.
Value leaky_relu_of_float64(const LeakyReluParam& p, Translation& t) {
  using enum LeakyReluParam::Type;
  Builder& b = t.b;
  const Value x = t.input(0);
  const auto number = [&](double value) {
    return b.scalar(DType::kFloat64, static_cast<float>(value));
  };
  const auto below = [&](Value negative) {
    return b.where(b.binary("Greater", x, number(0)), x, negative);
  };
  const Value narrow = b.cast(x, DType::kFloat32);
  const auto slope = [&](Value factor) {
    return below(b.cast(b.mul(narrow, b.cast(factor, DType::kFloat32)), DType::kFloat64));
  };
  switch (p.act_type) {
    case kRrelu:
      return slope(number((p.lower_bound + p.upper_bound) / 2));
    case kLeaky:
      return slope(number(p.slope));
    case kPrelu:
      return slope(prelu_slope(t));
    case kElu:
      return below(b.mul(expm1(b, x), number(p.slope)));
    case kSelu:
      return b.mul(below(b.mul(expm1(b, x), number(kSeluAlpha))), number(kSeluGamma));
    case kGelu:
      return b.cast(gelu(b, narrow), DType::kFloat64);
  }
  return {};
}

void translate_leaky_relu(const LeakyReluParam& p, Translation& t) {
  const Value x = t.input(0);
  if (!expect_floating(t)) return;
  if (t.b.dtype(x) == DType::kFloat64) return t.set_output(0, leaky_relu_of_float64(p, t));
  const auto with_alpha = [&](std::string_view op, double alpha) {
    return t.b.emit(op, {x}, {{"alpha", alpha}}, t.input_type(0));
  };
  switch (p.act_type) {
    case LeakyReluParam::Type::kRrelu:
      return t.set_output(0, with_alpha("LeakyRelu", (p.lower_bound + p.upper_bound) / 2));
    case LeakyReluParam::Type::kLeaky:
      return t.set_output(0, with_alpha("LeakyRelu", p.slope));
    case LeakyReluParam::Type::kPrelu:
      return t.set_output(0, prelu(t));
    case LeakyReluParam::Type::kElu:
      return t.set_output(0, with_alpha("Elu", p.slope));
    case LeakyReluParam::Type::kSelu:
      return t.set_output(0, t.b.emit("Selu", {x}, {{"alpha", kSeluAlpha}, {"gamma", kSeluGamma}},
                                      t.input_type(0)));
    case LeakyReluParam::Type::kGelu:
      return t.set_output(0, gelu(t.b, x));
  }
}

struct SoftmaxActivationParam {
  enum class Mode { kInstance, kChannel };
  Mode mode = Mode::kInstance;

  static void declare(AttrDeclarer<SoftmaxActivationParam>& d) {
    d.one_of("mode", &SoftmaxActivationParam::mode, {"instance", "channel"})
        .help("over the last axis, or over the channels at each position");
  }
};

void infer_softmax_activation(const SoftmaxActivationParam& p, InferContext& c) {
  infer_same(p, c);
  const Shape& data = c.input_shape(0);
  const bool channel = p.mode == SoftmaxActivationParam::Mode::kChannel;
  // MXNet looks at nothing where there are no elements.
  if (channel && data.known() && data.rank() < 3 && !data.is_empty()) {
    c.fail_input(0, "at least 3 dimensions");
  }
}

void translate_softmax_activation(const SoftmaxActivationParam& p, Translation& t) {
  // "instance" is documented as over all of an example; what MXNet does (FlatTo2D) is over the last
  // axis.
  const bool channel = p.mode == SoftmaxActivationParam::Mode::kChannel;
  const Shape& shape = t.output_shape(0);
  const Value x = shape.rank() == 0 ? onnx::reshape(t.b, t.input(0), Shape{1}) : t.input(0);
  const Value y = onnx::softmax(t.b, "Softmax", x, channel ? 1 : -1);
  t.set_output(0, onnx::reshape(t.b, y, shape));
}

struct HardSigmoidParam {
  double alpha = 0.2;
  double beta = 0.5;

  static void declare(AttrDeclarer<HardSigmoidParam>& d) {
    d.field("alpha", &HardSigmoidParam::alpha).help("slope");
    d.field("beta", &HardSigmoidParam::beta).help("offset");
  }
};

void translate_hard_sigmoid(const HardSigmoidParam& p, Translation& t) {
  if (t.input_type(0).dtype == DType::kFloat64) {
    // ONNX Runtime has no kernel for it. MXNet's parameters are float32 numbers here, too.
    const auto number = [&](double value) {
      return t.b.scalar(DType::kFloat64, static_cast<float>(value));
    };
    const onnx::Value line = t.b.add(t.b.mul(t.input(0), number(p.alpha)), number(p.beta));
    return t.set_output(0, onnx::clip(t.b, line, 0, 1));
  }
  t.set_output(0, t.b.emit("HardSigmoid", {t.input(0)}, {{"alpha", p.alpha}, {"beta", p.beta}},
                           t.input_type(0)));
}

}  // namespace

void register_activation(Registry& r) {
  r.add<ActivationParam>({"Activation", "_npx_activation"})
      .summary("Applies an activation function to each element.")
      .infer(infer_same<ActivationParam>)
      .any_shape()
      .translate(translate_activation)
      .note(
          "Of NaN, relu is 0 in MXNet where oneDNN computes it (float32), and NaN elsewhere as in "
          "ONNX.")
      .note(
          "log_sigmoid of a number so low that its exponential overflows (below -88, of float64 "
          "-709) is the number, as oneDNN has it; MXNet's own kernel (float16, float64) gives "
          "-inf.");
  r.add<LeakyReluParam>({"LeakyReLU", "_npx_leaky_relu"})
      .summary("Applies a leaky rectifier or a relative of it to each element.")
      .inputs_by(leaky_relu_inputs)
      .infer(infer_leaky_relu)
      .translate(translate_leaky_relu);
  r.add<SoftmaxActivationParam>({"SoftmaxActivation"})
      .summary("Softmax over the last axis or over the channels.")
      .infer(infer_softmax_activation)
      .translate(translate_softmax_activation)
      .note(
          "Where one of the elements along the axis is infinity or NaN, all of them become NaN; of "
          "float32, oneDNN gives the finite ones 0.");
  r.add<HardSigmoidParam>({"hard_sigmoid"})
      .summary("max(0, min(1, alpha * x + beta)).")
      .infer(infer_same<HardSigmoidParam>)
      .any_shape()
      .translate(translate_hard_sigmoid);
}

}  // namespace mx2onnx
