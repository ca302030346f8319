// Convolution: the attributes of the operator and of all that are like it, their shapes, and ONNX's
// attributes.
#pragma once

#include <string>
#include <vector>

#include "ops/expressions/sliding_window.h"
#include "ops/record/op_def.h"

namespace mx2onnx {

/// The attributes of Convolution.
struct ConvParam : SlidingWindow {
  std::int64_t num_filter = 0;
  std::int64_t num_group = 1;
  bool no_bias = false;
  Layout layout = Layout::kDefault;

  template <typename P>
  static void declare_common(AttrDeclarer<P>& d) {
    declare_window(d, 1, 3);
    d.field("num_filter", &P::num_filter).required().at_least(1).help("channels of the output");
    d.field("num_group", &P::num_group).at_least(1).help("groups of channels that do not mix");
    d.field("no_bias", &P::no_bias).help("no third input");
    d.one_of("layout", &P::layout, layout_names()).help("None: channels first");
    d.ignore({"workspace", "cudnn_tune", "cudnn_off"});
  }
  static void declare(AttrDeclarer<ConvParam>& d) { declare_common(d); }
};

/// data, weight and, unless there is none, bias.
std::vector<InputDef> conv_inputs(const ConvParam& p);

/// What is wrong with the tuples and the layout.
std::vector<AttrProblem> check_convolution(const ConvParam& p);

/// The data's shape, channels first, with what the output tells of it, as in MXNet: the batch, and
/// where the stride is 1 the sizes, of which `size_before(i, size)` goes back along a spatial axis.
/// Of unknown rank if neither's is known.
template <typename SizeBefore>
Shape data_shape(const ConvParam& p, InferContext& c, SizeBefore size_before) {
  const Shape output = to_channels_first(c.output_shape(0), p.layout);
  Shape data = to_channels_first(c.input_shape(0), p.layout);
  if (!data.known_rank()) {
    if (!output.known_rank()) return data;
    data = Shape::unknown_dims(p.rank() + 2);
  } else if (data.rank() != p.rank() + 2) {
    c.fail_input(0, fmt::format("{} dimensions for a kernel of {}", p.rank() + 2, p.rank()));
  }
  if (!output.known_rank() || output.rank() != data.rank()) return data;
  if (!data[0].known()) data[0] = output[0];
  for (std::size_t i = 0; i < p.rank(); ++i) {
    if (data[i + 2].known() || p.stride_at(i) != 1) continue;
    data[i + 2] = size_before(i, output[i + 2]);
  }
  return data;
}

/// Says what the shapes of the weight, channels first, and of the bias are.
void set_weight(const ConvParam& p, InferContext& c, const Dim& first, const Dim& second);

/// Channels of one group. Fails with kModel if the groups do not divide them.
Dim per_group(const ConvParam& p, const Dim& channels, std::string_view what);

/// The shapes of data, weight, bias and the first output.
void infer_conv_shapes(const ConvParam& p, InferContext& c);

/// ONNX's, without `pads`.
onnx::Attributes conv_attributes(const ConvParam& p);

}  // namespace mx2onnx
