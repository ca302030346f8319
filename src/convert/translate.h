// From a Model and its types to an ONNX graph, node by node.
#pragma once

#include <vector>

#include "convert/problems.h"
#include "convert/trace.h"
#include "infer/infer.h"
#include "mx2onnx/convert.h"
#include "mx2onnx/report.h"
#include "onnx/builder.h"
#include "onnx/graph.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// What ConvertOptions::quantized_form names. Fails with kUsage if it names none.
onnx::QuantizedForm quantized_form_of(const ConvertOptions& options);

/// Translates all live nodes. What a translation refuses is appended to `problems`; the graph is
/// then of no use. Warnings go to `diagnostics`; which node a value is of goes to `trace`, if it is
/// there.
onnx::Graph translate_model(const Model& model, const InferResult& types,
                            const ConvertOptions& options, std::vector<NodeProblem>& problems,
                            std::vector<Diagnostic>& diagnostics, Trace* trace = nullptr);

}  // namespace mx2onnx
