// What oneDNN's fused operators compute, written out.
#pragma once

#include <cstddef>

#include "mxnet/symbol.h"

namespace mx2onnx::mxnet {

/// MXNet's partitioning with oneDNN (`MXNET_SUBGRAPH_BACKEND=MKLDNN`, in 2.0 `ONEDNN`) makes one
/// node, `_sg_mkldnn_conv` for instance, of a convolution and what follows it, and keeps these as
/// the node's subgraph. Quantised, the node has the same subgraph and takes int8 or uint8 data and
/// ranges. Here the subgraph of such a node becomes what the node computes: inputs that are
/// dequantised, weights that are quantised, and a result that is (`_onednn_…`, operators that no
/// file has). Its variables are then the node's inputs, one after the other, and its outputs the
/// node's. Operators that have no subgraph in the file get one. The attribute `num_args` is the
/// number of variables. A node that is no fused one stays what it is; one without a subgraph, or
/// with one of another form than oneDNN's, fails with kModel. `index` is the node's, for the
/// message.
void expand_onednn(Node& node, std::size_t index);

}  // namespace mx2onnx::mxnet
