// A conversion up to the point where the file is written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ir/dim.h"
#include "mx2onnx/convert.h"
#include "onnx/graph.h"
#include "onnx/writer.h"

namespace mx2onnx {

struct Conversion {
  std::unique_ptr<DimArena> arena = std::make_unique<DimArena>();  ///< Of the sizes in the graph.
  onnx::Graph graph;
  onnx::ModelInfo info;
  Report report;
  std::vector<std::string> files;  ///< That were read, and must not be written over.
};

/// Reads, upgrades, binds, infers, translates, optimises and checks a model.
Conversion convert_graph(const Source& source, const ConvertOptions& options);

}  // namespace mx2onnx
