// A conversion up to the point where the file is written.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "convert/problems.h"
#include "convert/trace.h"
#include "infer/infer.h"
#include "ir/dim.h"
#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "onnx/graph.h"
#include "onnx/writer.h"
#include "ops/record/model.h"
#include "passes/half_precision.h"
#include "passes/weights_only.h"
#include "source/find_model.h"

namespace mx2onnx {

/// How far a conversion has come.
enum class ConversionStage { kReading, kResolved, kBound, kInferred, kDone };

/// A conversion as far as it has come: one that fails leaves what it has found out.
struct Conversion {
  std::unique_ptr<DimArena> arena = std::make_unique<DimArena>();  ///< Of the sizes in the graph.
  ConversionStage stage = ConversionStage::kReading;
  /// What the source is. If it is there already, nothing is searched and read again.
  std::shared_ptr<const source::FoundModel> found;
  mxnet::ParameterSet params;
  std::optional<Model> model;  ///< From kResolved on; its variables have roles from kBound on.
  std::optional<InferResult> types;   ///< After a failure from kInferred on, and of kDone.
  std::vector<NodeProblem> problems;  ///< What stands in the way, if it failed because of that.
  onnx::Graph graph;
  passes::HalfResult half;        ///< What became of it in half precision.
  passes::WeightsResult weights;  ///< And with its weights as int8 or int4.
  onnx::ModelInfo info;
  Report report;
  /// What became of each node, if somebody wants to know.
  std::unique_ptr<Trace> trace;
};

/// Reads, upgrades, binds, infers, translates, optimises and checks a model.
Conversion convert_graph(const Source& source, const ConvertOptions& options);

/// The same into a `result` that keeps what was found out until a failure.
void convert_graph(const Source& source, const ConvertOptions& given, Conversion& result);

}  // namespace mx2onnx
