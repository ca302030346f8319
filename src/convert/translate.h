// From a Model and its types to an ONNX graph, node by node.
#pragma once

#include <vector>

#include "convert/problems.h"
#include "infer/infer.h"
#include "mx2onnx/convert.h"
#include "mx2onnx/report.h"
#include "onnx/builder.h"
#include "onnx/graph.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// Translates all live nodes. What a translation refuses is appended to `problems`; the graph is
/// then of no use. Warnings go to `diagnostics`.
/// What ConvertOptions::quantized_form names. Fails with kUsage if it names none.
onnx::QuantizedForm quantized_form_of(const ConvertOptions& options);

onnx::Graph translate_model(const Model& model, const InferResult& types,
                            const ConvertOptions& options, std::vector<NodeProblem>& problems,
                            std::vector<Diagnostic>& diagnostics);

}  // namespace mx2onnx
