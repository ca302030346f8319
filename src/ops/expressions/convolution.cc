#include "ops/expressions/convolution.h"

#include <fmt/format.h>

#include "base/error.h"
#include "ops/expressions/common.h"

namespace mx2onnx {

std::vector<InputDef> conv_inputs(const ConvParam& p) {
  std::vector<InputDef> inputs{{"data", InputRole::kData}, {"weight", InputRole::kWeight}};
  if (!p.no_bias) inputs.push_back({"bias", InputRole::kWeight});
  return inputs;
}

std::vector<AttrProblem> check_convolution(const ConvParam& p) {
  std::vector<AttrProblem> problems = check_layout(p.layout, p.rank());
  check_elements("stride", p.stride, p.rank(), problems);
  check_elements("dilate", p.dilate, p.rank(), problems);
  check_elements("pad", p.pad, p.rank(), problems);
  return problems;
}

void set_weight(const ConvParam& p, InferContext& c, const Dim& first, const Dim& second) {
  std::vector<Dim> dims{first, second};
  for (const auto size : p.kernel) dims.emplace_back(size);
  c.set_input_shape(1, from_channels_first(Shape(std::move(dims)), p.layout));
  if (!p.no_bias) c.set_input_shape(2, Shape{p.num_filter});
}

Dim per_group(const ConvParam& p, const Dim& channels, std::string_view what) {
  if (channels.is_constant() && channels.value() % p.num_group != 0) {
    fail(ErrorCode::kModel, fmt::format("expected {} to be divisible by num_group {}, found {}",
                                        what, p.num_group, channels.value()));
  }
  return floor_div(channels, p.num_group);
}

void infer_conv_shapes(const ConvParam& p, InferContext& c) {
  per_group(p, p.num_filter, "num_filter");
  Shape data = data_shape(p, c, [&](std::size_t i, const Dim& size) {
    return size + p.window(i) - 1 - 2 * p.pad_at(i);
  });
  if (!data.known_rank()) return;
  // The weight knows the number of channels, too.
  const Shape weight = to_channels_first(c.input_shape(1), p.layout);
  const bool weight_fits = weight.rank() == data.rank() && weight[1].known();
  if (weight_fits && !data[1].is_constant()) data[1] = weight[1] * p.num_group;
  c.set_input_shape(0, from_channels_first(data, p.layout));
  set_weight(p, c, p.num_filter, per_group(p, data[1], "the number of channels"));
  Shape result = data;
  result[1] = p.num_filter;
  for (std::size_t i = 0; i < p.rank(); ++i) {
    result[i + 2] = p.windows(i, data[i + 2]);
  }
  c.set_output_shape(0, from_channels_first(result, p.layout));
}

onnx::Attributes conv_attributes(const ConvParam& p) {
  onnx::Attributes attrs{
      {"kernel_shape", p.kernel}, {"strides", p.strides()}, {"dilations", p.dilations()}};
  if (p.num_group != 1) attrs.emplace_back("group", p.num_group);
  return attrs;
}

}  // namespace mx2onnx
