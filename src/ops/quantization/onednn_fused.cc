// oneDNN's fused operators (src/operator/subgraph/mkldnn of 1.9.1, src/operator/subgraph/dnnl of
// 2.0). What each computes is in its subgraph, which mxnet/onednn_upgrade.h writes out.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "ops/expressions/common.h"
#include "ops/expressions/numbered.h"
#include "ops/quantization/calibrated.h"

namespace mx2onnx {
namespace {

using onnx::Value;

constexpr int kMostInputs = 64;

constexpr const char* kSumNote =
    "Where a quantised layer is followed by a sum, the layer is rounded to 8 bits before it, which "
    "MXNet does not do and runtimes have no kernel without; nothing is cut by it "
    "(`W-sum-rounded`).";

struct FusedParam {
  std::int64_t num_args = 1;
  bool quantized = false;
  bool enable_float_output = false;
  std::optional<double> min_calib_range;
  std::optional<double> max_calib_range;

  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    d.field("num_args", &P::num_args)
        .at_least(1)
        .at_most(kMostInputs)
        .help("number of inputs; counted when the file is read");
    d.field("quantized", &P::quantized).help("data is int8 or uint8, with ranges");
    d.field("min_calib_range", &P::min_calib_range).help("of the result; None: has 32 bits");
    d.field("max_calib_range", &P::max_calib_range).help("of the result; None: has 32 bits");
  }
  template <typename P>
  static void declare_float_output(AttrDeclarer<P>& d) {
    d.field("enable_float_output", &P::enable_float_output)
        .help("the result is float32 though data is quantised");
  }
  bool has_ranges() const { return quantized && !enable_float_output; }
};

// What is fused is seen in the subgraph.
struct ConvParam : FusedParam {
  static void declare(AttrDeclarer<ConvParam>& d) {
    declare_common(d);
    d.ignore(
        {"with_bn", "with_act", "with_relu", "with_sum", "with_postsum_act", "with_postsum_relu"});
  }
};

struct ConvParamOf2 : FusedParam {
  static void declare(AttrDeclarer<ConvParamOf2>& d) {
    declare_common(d);
    declare_float_output(d);
    d.ignore({"with_bn", "with_act", "with_sum", "with_postsum_act", "dedup_sum"});
  }
};

struct DenseParam : FusedParam {
  static void declare(AttrDeclarer<DenseParam>& d) {
    declare_common(d);
    declare_float_output(d);
    d.ignore({"with_eltwise", "with_relu", "with_sum", "channel_wise_quantize"});
  }
};

struct AttentionParam : FusedParam {
  std::int64_t heads = 1;

  static void declare(AttrDeclarer<AttentionParam>& d) {
    declare_common(d);
    declare_float_output(d);
    d.field("heads", &AttentionParam::heads)
        .required()
        .at_least(1)
        .at_most(1 << 20)
        .help("number of heads");
  }
};

struct BatchDotParam : FusedParam {
  static void declare(AttrDeclarer<BatchDotParam>& d) {
    declare_common(d);
    declare_float_output(d);
    d.ignore({"transpose_a", "transpose_b"});
  }
};

template <typename P>
std::vector<std::vector<BodyInput>> bodies(const P& p) {
  std::vector<BodyInput> inputs;
  for (std::int64_t i = 0; i < p.num_args; ++i)
    inputs.push_back({static_cast<std::size_t>(i), true});
  return {inputs};
}

template <typename P>
std::vector<AttrProblem> check(const P& p, const CheckContext& /*context*/) {
  std::vector<AttrProblem> problems;
  const auto expect_finite = [&](std::string_view name, const std::optional<double>& end) {
    if (!end || std::isfinite(*end)) return;
    problems.push_back(
        {std::string(name), fmt::format("expected a finite number, got {}", *end), ""});
  };
  expect_finite("min_calib_range", p.min_calib_range);
  expect_finite("max_calib_range", p.max_calib_range);
  if (p.quantized && p.enable_float_output && p.min_calib_range && p.max_calib_range) {
    problems.push_back({"enable_float_output",
                        "expected no min_calib_range and max_calib_range beside it, found both",
                        ""});
  }
  return problems;
}

template <typename P>
void infer_fused(const P& /*p*/, InferContext& c) {
  std::vector<TensorType> known;
  for (std::size_t i = 0; i < c.num_inputs(); ++i) known.push_back(c.input(i));
  for (std::size_t i = 0; i < c.num_outputs(); ++i) known.push_back(c.output(i));
  const BodyTypes types = c.infer_body(0, std::move(known));
  if (types.outputs.size() != c.num_outputs()) {
    fail(ErrorCode::kModel, fmt::format("expected a subgraph with {} outputs, found {}",
                                        c.num_outputs(), types.outputs.size()));
  }
  for (std::size_t i = 0; i < c.num_inputs(); ++i) {
    c.set_input_shape(i, types.inputs[i].shape);
    c.set_input_dtype(i, types.inputs[i].dtype);
  }
  for (std::size_t i = 0; i < c.num_outputs(); ++i) {
    c.set_output_shape(i, types.outputs[i].shape);
    c.set_output_dtype(i, types.outputs[i].dtype);
  }
}

template <typename P>
void translate_fused(const P& /*p*/, Translation& t) {
  std::vector<Value> inputs;
  for (std::size_t i = 0; i < t.num_inputs(); ++i) inputs.push_back(t.input(i));
  const auto outputs = t.translate_body(0, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) t.set_output(i, outputs[i]);
}

template <typename P>
void add_fused(Registry& r, std::vector<std::string> names, std::string summary,
               std::vector<std::string> outputs) {
  r.add<P>(std::move(names))
      .summary(std::move(summary))
      .inputs_by([](const P& p) { return numbered_inputs("data", p.num_args); })
      .outputs_by([outputs = std::move(outputs)](const P& p, std::size_t) {
        return p.has_ranges() ? outputs : std::vector<std::string>{"output"};
      })
      .note(kSumNote)
      .bodies(bodies<P>)
      .check(check<P>)
      .infer(infer_fused<P>)
      .translate(translate_fused<P>);
}

}  // namespace

void register_onednn_fused(Registry& r) {
  const std::vector<std::string> of_conv{"output", "output_min", "output_max"};
  const std::string conv = "A convolution with BatchNorm, a sum and activations that follow it.";
  const std::string dense = "A dense layer with what follows it, element by element.";
  const std::string scores = "The products of queries and keys of attention.";
  const std::string values = "The products of attention and values.";
  add_fused<ConvParam>(r, {"_sg_mkldnn_conv"}, conv, of_conv);
  add_fused<ConvParamOf2>(r, {"_sg_onednn_conv"}, conv, of_conv);
  for (const auto* name : {"_sg_mkldnn_fully_connected", "_sg_onednn_fully_connected"})
    add_fused<DenseParam>(r, {name}, dense, kQuantizedOutputs);
  for (const auto* name : {"_sg_mkldnn_selfatt_qk", "_sg_onednn_selfatt_qk"})
    add_fused<AttentionParam>(r, {name}, scores, kQuantizedOutputs);
  for (const auto* name : {"_sg_mkldnn_selfatt_valatt", "_sg_onednn_selfatt_valatt"})
    add_fused<AttentionParam>(r, {name}, values, kQuantizedOutputs);
  add_fused<BatchDotParam>(r, {"_sg_onednn_batch_dot"}, "Products of matrices, one for one.",
                           kQuantizedOutputs);
}

}  // namespace mx2onnx
