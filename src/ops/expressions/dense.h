// Dense layers: the attributes of FullyConnected and of what is like it, and their shapes.
#pragma once

#include <vector>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// The attributes of FullyConnected.
struct FullyConnectedParam {
  std::int64_t num_hidden = 0;
  bool no_bias = false;
  bool flatten = true;

  static void declare(AttrDeclarer<FullyConnectedParam>& d) {
    d.field("num_hidden", &FullyConnectedParam::num_hidden)
        .required()
        .at_least(1)
        .help("size of the output");
    d.field("no_bias", &FullyConnectedParam::no_bias).help("no third input");
    d.field("flatten", &FullyConnectedParam::flatten).help("all axes but the first are one");
  }
};

/// data, weight and, unless there is none, bias.
std::vector<InputDef> fully_connected_inputs(const FullyConnectedParam& p);

/// The shapes of data, weight, bias and the first output.
void infer_dense_shapes(const FullyConnectedParam& p, InferContext& c);

/// Batch and features; the natural form of it is Flatten, and for vectors an axis more.
onnx::Value as_matrix(onnx::Builder& b, onnx::Value x);

}  // namespace mx2onnx
