// What the ONNX file says of where it comes from, as pairs of texts in its metadata.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "infer/infer.h"
#include "mx2onnx/convert.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// MXNet's version and the symbol's file name. Where the file takes other inputs than the MXNet
/// model or has other names, also `mx2onnx.preprocessing` and `mx2onnx.renamed`, as JSON, which
/// `mx2onnx verify` reads. `renames` has the file's names by MXNet's.
std::vector<std::pair<std::string, std::string>> make_metadata(
    const Model& model, const InferResult& types, const ConvertOptions& options,
    const std::string& source, const std::map<std::string, std::string>& renames);

}  // namespace mx2onnx
