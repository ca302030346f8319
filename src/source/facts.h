// What lies beside a model in the archives of model servers: shapes of its inputs, names of its
// classes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mx2onnx/convert.h"

namespace mx2onnx::source {

/// The inputs of a model server's `signature.json`: {"inputs": [{"data_name": "data", "data_shape":
/// [0, 3, 224, 224]}]}. Sizes of 0 and below are free, the first one as "batch". Fails
/// with kFormat.
std::vector<InputSpec> read_signature(std::string_view text);

/// The inputs of SageMaker's `model-shapes.json`: [{"name": "data", "shape": [1, 3, 224, 224]}].
/// Fails with kFormat.
std::vector<InputSpec> read_model_shapes(std::string_view text);

/// The lines of a `synset.txt`, the last one's end left out. Nothing if the text is not UTF-8.
std::vector<std::string> read_labels(std::string_view text);

}  // namespace mx2onnx::source
