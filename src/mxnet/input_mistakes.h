// What people write for an input that is nearly right.
#pragma once

#include <string_view>

namespace mx2onnx::mxnet {

/// Fails with kUsage and a hint if the text of an input is one of the usual slips: another name of
/// an element type, `=` in the place of the first colon, sizes between brackets.
void check_input_mistakes(std::string_view text);

}  // namespace mx2onnx::mxnet
