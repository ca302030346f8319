// What MXNet 2.0 leaves out of the control-flow operators that it saves.
#pragma once

#include "mxnet/symbol.h"

namespace mx2onnx::mxnet {

/// MXNet 2.0.0b1 writes `_npx_foreach`, `_npx_while_loop` and `_npx_cond` without their attributes,
/// and cannot read such a file itself. Its own functions
/// (python/mxnet/ndarray/numpy_extension/control_flow.py) name the variables of subgraphs by what
/// feeds them, so that the attributes can be found again, all but `max_iterations`. Variables of
/// one name become one, and inputs of the node that feed the same one too. A node that has
/// attributes, or does not look like that, stays what it is.
void restore_control_flow(Node& node);

}  // namespace mx2onnx::mxnet
