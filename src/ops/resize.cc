// Operators that make images larger.
#include <fmt/format.h>

#include "base/error.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "ops/common.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct UpSamplingParam {
  enum class SampleType { kNearest, kBilinear };
  enum class InputMode { kConcat, kSum };
  std::int64_t scale = 1;
  std::int64_t num_filter = 0;
  SampleType sample_type = SampleType::kNearest;
  InputMode multi_input_mode = InputMode::kConcat;
  std::int64_t num_args = 1;

  static void declare(AttrDeclarer<UpSamplingParam>& d) {
    d.field("scale", &UpSamplingParam::scale)
        .required()
        .at_least(1)
        .at_most(1 << 15)
        .help("factor of height and width");
    d.field("num_filter", &UpSamplingParam::num_filter)
        .at_least(0)
        .help("bilinear: number of channels");
    d.one_of("sample_type", &UpSamplingParam::sample_type, {"nearest", "bilinear"})
        .required()
        .help("bilinear: a transposed convolution of each channel with the weight");
    d.one_of("multi_input_mode", &UpSamplingParam::multi_input_mode, {"concat", "sum"})
        .help("what becomes of several inputs, each upsampled to the size of the first");
    d.field("num_args", &UpSamplingParam::num_args)
        .required()
        .at_least(1)
        .at_most(1 << 16)
        .help("number of inputs");
    d.ignore({"workspace"});
  }

  bool is_bilinear() const { return sample_type == SampleType::kBilinear; }
  // Of the transposed convolution (GetDeconvolutionParam).
  std::int64_t kernel() const { return 2 * scale - scale % 2; }
  std::int64_t pad() const { return scale / 2; }
};

std::vector<InputDef> upsampling_inputs(const UpSamplingParam& p) {
  if (p.is_bilinear()) return {{"data", InputRole::kData}, {"weight", InputRole::kWeight}};
  std::vector<InputDef> inputs;
  for (std::int64_t i = 0; i < p.num_args; ++i) {
    inputs.push_back({fmt::format("arg{}", i), InputRole::kData});
  }
  return inputs;
}

// The channels of all inputs together.
Dim total_channels(const UpSamplingParam& p, const InferContext& c) {
  if (p.is_bilinear() || p.multi_input_mode == UpSamplingParam::InputMode::kSum) {
    return c.input_shape(0)[1];
  }
  Dim total = 0;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) total = total + c.input_shape(i)[1];
  return total;
}

void infer_upsampling(const UpSamplingParam& p, InferContext& c) {
  c.unify_dtypes();
  for (std::size_t i = 0; i < c.num_inputs(); ++i) c.set_input_shape(i, Shape::unknown_dims(4));
  const Shape first = c.input_shape(0);
  if (p.is_bilinear()) {
    c.set_input_shape(1, {p.num_filter, 1, p.kernel(), p.kernel()});
    c.set_input_shape(0, {{}, p.num_filter, {}, {}});
  } else {
    const bool is_sum = p.multi_input_mode == UpSamplingParam::InputMode::kSum;
    for (std::size_t i = 1; i < c.num_inputs(); ++i) {
      c.set_input_shape(i, {first[0], is_sum ? first[1] : Dim(), {}, {}});
    }
  }
  c.set_output_shape(0, {first[0], total_channels(p, c), first[2] * p.scale, first[3] * p.scale});
}

// The factor by which an axis grows, where it is a number.
std::optional<std::int64_t> factor(const Dim& from, const Dim& to) {
  const Dim quotient = floor_div(to, from);
  if (!quotient.is_constant() || !(from * quotient == to)) return std::nullopt;
  return quotient.value();
}

Value upsample_nearest(Translation& t, std::size_t i) {
  const Shape& from = t.input_shape(i);
  const Shape& to = t.output_shape(0);
  const auto high = factor(from[2], to[2]);
  const auto wide = factor(from[3], to[3]);
  if (high && wide && *high != *wide) {
    fail(
        ErrorCode::kModel,
        fmt::format("input 'arg{}' of shape {} would grow {} times in height and {} times in width",
                    i, from.to_string(), *high, *wide));
  }
  if (t.output_type(0).dtype != DType::kFloat64) {
    return onnx::resize(t.b, t.input(i), {to[2], to[3]}, "nearest",
                        onnx::ResizeCoordinates::kAsymmetric);
  }
  // ONNX Runtime has no kernel of Resize for doubles: each element becomes a block.
  if (!high) fail(ErrorCode::kUnsupported, "float64 needs a factor that is known");
  const Shape points{from[0], from[1], from[2], 1, from[3], 1};
  const Shape blocks{from[0], from[1], from[2], *high, from[3], *high};
  const Value expanded = onnx::expand(t.b, onnx::reshape(t.b, t.input(i), points), blocks);
  return onnx::reshape(t.b, expanded, {from[0], from[1], to[2], to[3]});
}

void translate_nearest(const UpSamplingParam& p, Translation& t) {
  std::vector<Value> parts;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) parts.push_back(upsample_nearest(t, i));
  if (p.multi_input_mode == UpSamplingParam::InputMode::kConcat) {
    return t.set_output(0, parts.size() == 1 ? parts[0] : t.b.concat(parts, 1));
  }
  Value sum = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) sum = t.b.add(sum, parts[i]);
  t.set_output(0, sum);
}

void translate_upsampling(const UpSamplingParam& p, Translation& t) {
  if (!p.is_bilinear()) return translate_nearest(p, t);
  t.set_output(0, t.b.emit("ConvTranspose", {t.input(0), t.input(1)},
                           {{"kernel_shape", onnx::Ints{p.kernel(), p.kernel()}},
                            {"strides", onnx::Ints{p.scale, p.scale}},
                            {"pads", onnx::Ints(4, p.pad())},
                            {"group", p.num_filter}},
                           t.output_type(0)));
}

std::vector<AttrProblem> check_upsampling(const UpSamplingParam& p, const CheckContext& /*c*/) {
  if (!p.is_bilinear() || p.num_filter > 0) return {};
  return {{"num_filter", "expected the number of channels for sample_type=bilinear, got 0", ""}};
}

}  // namespace

void register_resize(Registry& r) {
  r.add<UpSamplingParam>({"UpSampling"})
      .summary("Images enlarged by a whole factor.")
      .inputs_by(upsampling_inputs)
      .infer(infer_upsampling)
      .translate(translate_upsampling)
      .check(check_upsampling);
}

}  // namespace mx2onnx
