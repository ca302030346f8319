// Shapes and inputs of the random operators of NumPy's interface.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "ops/record/op_def.h"

namespace mx2onnx {

/// Declares `size`.
template <typename P>
void declare_size(AttrDeclarer<P>& d, std::optional<Tuple> P::*member) {
  d.field("size", member).at_least(-2).help("of the array; None: that of the parameters");
}

/// The inputs for so many parameters that are no attributes.
std::vector<InputDef> draw_inputs(std::size_t count);

/// The output has the shape `size`, to which the inputs broadcast; without one that which the
/// inputs broadcast to. For `is_n`, and where size begins with -2, it has the sizes of both.
void infer_draw_shape(const std::optional<Tuple>& size, InferContext& c, bool is_n);

}  // namespace mx2onnx
