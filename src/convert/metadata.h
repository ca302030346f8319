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
/// `mx2onnx verify` reads; where it has another precision than the MXNet model,
/// `mx2onnx.precision`; where parameters are made up, `mx2onnx.random_weights`, a list of names.
/// `renames` has the file's names by MXNet's.
std::vector<std::pair<std::string, std::string>> make_metadata(
    const Model& model, const InferResult& types, const ConvertOptions& options,
    const std::string& source, const std::map<std::string, std::string>& renames);

/// The value of `mx2onnx.labels`: the names of the classes, in order, as a JSON array.
std::string labels_text(const std::vector<std::string>& labels);

}  // namespace mx2onnx
