// Convolution and Deconvolution in one, two and three dimensions (src/operator/nn/convolution.cc,
// deconvolution.cc).
#include <algorithm>

#include "base/error.h"
#include "onnx/opset.h"
#include "ops/expressions/common.h"
#include "ops/expressions/convolution.h"
#include "ops/expressions/spatial.h"

namespace mx2onnx {
namespace {

using onnx::Value;

struct DeconvParam : ConvParam {
  Tuple adj;
  std::optional<Tuple> target_shape = Tuple();

  DeconvParam() { no_bias = true; }
  static void declare(AttrDeclarer<DeconvParam>& d) {
    declare_common(d);
    d.field("adj", &DeconvParam::adj)
        .sizes(0, 3)
        .at_least(0)
        .help("rows added at the end of the output");
    d.field("target_shape", &DeconvParam::target_shape)
        .sizes(0, 3)
        .at_least(0)
        .help("spatial size of the output; pad and adj are then computed");
  }
  bool has_target() const {
    return target_shape && std::any_of(target_shape->begin(), target_shape->end(),
                                       [](auto size) { return size != 0; });
  }
  /// Of a target.
  std::int64_t target_at(std::size_t i) const {
    return i < target_shape->size() ? (*target_shape)[i] : 0;
  }
};

void infer_conv(const ConvParam& p, InferContext& c) {
  c.unify_dtypes();
  infer_conv_shapes(p, c);
}

std::vector<AttrProblem> check_conv(const ConvParam& p, const CheckContext& /*context*/) {
  return check_convolution(p);
}

Value emit_conv(std::string_view op_type, const ConvParam& p, Translation& t,
                onnx::Attributes attrs) {
  std::vector<Value> inputs{to_channels_first(t.b, t.input(0), p.layout),
                            to_channels_first(t.b, t.input(1), p.layout)};
  if (!p.no_bias) inputs.push_back(t.input(2));
  const Value y =
      t.b.emit(op_type, std::move(inputs), std::move(attrs),
               {t.output_type(0).dtype, to_channels_first(t.output_shape(0), p.layout)});
  return from_channels_first(t.b, y, p.layout);
}

// As oneDNN computes int8: in int32, and the nearest int8 of that.
Value emit_int8_conv(const ConvParam& p, Translation& t, onnx::Attributes attrs) {
  onnx::Builder& b = t.b;
  const Shape result = to_channels_first(t.output_shape(0), p.layout);
  Value sum = b.emit(
      "ConvInteger",
      {to_channels_first(b, t.input(0), p.layout), to_channels_first(b, t.input(1), p.layout)},
      std::move(attrs), {DType::kInt32, result});
  if (!p.no_bias) {
    const Value bias = b.cast(t.input(2), DType::kInt32);
    sum = b.add(sum, along_axis(b, bias, 1, result.rank()));
  }
  const auto [least, largest] = integer_range(DType::kInt8);
  return from_channels_first(b, b.cast(onnx::clip(b, sum, least, largest), DType::kInt8), p.layout);
}

void translate_conv(const ConvParam& p, Translation& t) {
  auto attrs = conv_attributes(p);
  attrs.emplace_back("pads", both_ends(p.pads()));
  if (t.output_type(0).dtype == DType::kInt8) {
    return t.set_output(0, emit_int8_conv(p, t, std::move(attrs)));
  }
  t.set_output(0, emit_conv("Conv", p, t, std::move(attrs)));
}

// Pad and adj along one spatial axis: as given, or such that the output has the target size
// (DeconvolutionParam::InferPad).
struct Margin {
  Dim pad;
  Dim adj;
};

Margin margin_at(const DeconvParam& p, std::size_t i, const Dim& size) {
  if (!p.has_target()) return {p.pad_at(i), i < p.adj.size() ? p.adj[i] : 0};
  const std::int64_t target = p.target_at(i);
  const Dim surplus = (size - 1) * p.stride_at(i) + p.window(i) - target;
  if (surplus.is_constant() && surplus.value() < 0) {
    const ErrorScope scope = ErrorScope::attribute("target_shape");
    fail(ErrorCode::kModel, fmt::format("expected at most {} along spatial axis {}, got {}",
                                        surplus.value() + target, i, target));
  }
  return {ceil_div(surplus, 2), surplus - floor_div(surplus, 2) * 2};
}

void infer_deconv(const DeconvParam& p, InferContext& c) {
  c.unify_dtypes();
  Shape data = data_shape(p, c, [&](std::size_t i, const Dim& size) {
    if (p.has_target()) return Dim();
    const Margin margin = margin_at(p, i, Dim());
    return size - (p.window(i) - 1) - margin.adj + margin.pad * 2;
  });
  if (!data.known_rank()) return;
  const Shape weight = to_channels_first(c.input_shape(1), p.layout);
  if (weight.rank() == data.rank() && !data[1].is_constant()) data[1] = weight[0];
  c.set_input_shape(0, from_channels_first(data, p.layout));
  per_group(p, data[1], "the number of channels");
  set_weight(p, c, data[1], per_group(p, p.num_filter, "num_filter"));
  Shape result = data;
  result[1] = p.num_filter;
  for (std::size_t i = 0; i < p.rank(); ++i) {
    const Margin margin = margin_at(p, i, data[i + 2]);
    const Dim whole = (data[i + 2] - 1) * p.stride_at(i) + p.window(i);
    result[i + 2] = p.has_target() && data[i + 2].known() ? Dim(p.target_at(i))
                                                          : whole - margin.pad * 2 + margin.adj;
  }
  c.set_output_shape(0, from_channels_first(result, p.layout));
}

// mshadow's pack_col2patch, which MXNet uses where oneDNN does not compute.
bool is_garbled(const DeconvParam& p, std::size_t i) {
  return p.kernel[i] > 1 && p.stride_at(i) > 1 && p.window(i) > p.kernel[i];
}

void translate_deconv(const DeconvParam& p, Translation& t) {
  for (std::size_t i = 0; i < p.rank(); ++i) {
    if (t.input_type(0).dtype != DType::kFloat32 && is_garbled(p, i)) {
      return t.refuse(
          "of other types than float32, MXNet's result with both a stride and a dilation above 1 "
          "is not the transposed convolution",
          "cast to float32 in the model");
    }
  }
  const Shape data = to_channels_first(t.input_shape(0), p.layout);
  auto attrs = conv_attributes(p);
  Tuple pads;
  Tuple output_padding;
  for (std::size_t i = 0; i < p.rank(); ++i) {
    const Margin margin = margin_at(p, i, data[i + 2]);
    if (!margin.pad.is_constant()) {
      // The runtime then splits the surplus as MXNet does, the larger half at the front.
      attrs.emplace_back("output_shape", *p.target_shape);
      return t.set_output(0, emit_conv("ConvTranspose", p, t, std::move(attrs)));
    }
    pads.push_back(margin.pad.value());
    output_padding.push_back(margin.adj.value());
  }
  attrs.emplace_back("pads", both_ends(pads));
  const bool has_padding =
      std::any_of(output_padding.begin(), output_padding.end(), [](auto adj) { return adj != 0; });
  if (has_padding) attrs.emplace_back("output_padding", output_padding);
  t.set_output(0, emit_conv("ConvTranspose", p, t, std::move(attrs)));
}

std::vector<AttrProblem> check_deconv(const DeconvParam& p, const CheckContext& /*context*/) {
  auto problems = check_convolution(p);
  if (p.has_target()) check_elements("target_shape", *p.target_shape, p.rank(), problems);
  return problems;
}

}  // namespace

void register_conv(Registry& r) {
  const std::vector<std::vector<std::string>> names = {{"Convolution", "_npx_convolution"},
                                                       {"Convolution_v1"}};
  for (const auto& same : names) {
    r.add<ConvParam>(same)
        .summary("Convolution in one, two or three dimensions.")
        .inputs_by(conv_inputs)
        .infer(infer_conv)
        .translate(translate_conv)
        .check(check_conv)
        .note(
            "MXNet 1.x has no layout NWC, and runs NHWC and NDHWC on GPUs only; they are converted "
            "with transpositions.");
  }
  r.add<DeconvParam>({"Deconvolution", "_npx_deconvolution"})
      .summary("Transposed convolution in one, two or three dimensions.")
      .inputs_by(conv_inputs)
      .infer(infer_deconv)
      .translate(translate_deconv)
      .check(check_deconv)
      .note(
          "With a stride and a dilation above 1 on float32 only: of float64 MXNet computes "
          "something else.")
      .note(
          "With target_shape of float64 and float16 MXNet 2.0.0b1 computes something else than "
          "1.9.1, "
          "and than itself of float32: the model is as these.")
      .note(
          "MXNet 1.x has no layout NWC, and runs NHWC and NDHWC on GPUs only; they are converted "
          "with transpositions.");
}

}  // namespace mx2onnx
