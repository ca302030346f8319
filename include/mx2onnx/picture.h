// A model to look at: its graph as MXNet has it, the ONNX graph that comes of it, and what each
// node of the one became in the other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mx2onnx/export.h"
#include "mx2onnx/inspect.h"

namespace mx2onnx {

/// What the numbers of an array are like. A large array is looked at in parts.
struct ArrayStatistics {
  std::uint64_t looked_at = 0;  ///< Numbers that were read; the rest of this is about these.
  std::uint64_t zeros = 0;
  std::uint64_t not_finite = 0;  ///< NaN and infinity, which the rest of this is not about.
  double minimum = 0;
  double maximum = 0;
  double mean = 0;
  double deviation = 0;  ///< The standard deviation, of the numbers and not of a sample.
  std::vector<std::uint64_t> histogram;  ///< Equal steps from minimum to maximum.
};

enum class PictureValueKind { kInner, kInput, kParameter, kConstant };

/// What goes along an edge of the graph.
struct PictureValue {
  std::string name;
  PictureValueKind kind = PictureValueKind::kInner;
  std::string dtype;                   ///< "unknown" if it is not known.
  std::vector<std::string> shape;      ///< As PortReport::shape.
  std::optional<std::uint64_t> bytes;  ///< Of a parameter or constant.
  std::optional<ArrayStatistics> statistics;
  std::vector<double> numbers;  ///< All of a small constant.
};

/// What a pass did to a node of the ONNX graph.
struct PassEvent {
  std::string pass;
  std::string what;  ///< "changed", "made" or "removed".
  std::string node;  ///< Of the ONNX graph, which may no longer have it.
};

struct PictureNode {
  std::string name;
  std::string op;
  std::string domain;              ///< Of ONNX; empty for its own operators.
  std::vector<std::string> block;  ///< What it is a part of, the outermost first.
  /// Indices of values; -1 for an optional input that is left out.
  std::vector<std::int64_t> inputs;
  std::vector<std::int64_t> outputs;
  std::vector<std::pair<std::string, std::string>> attributes;
  /// As LayerInfo has them.
  std::optional<std::uint64_t> parameters = 0;
  std::optional<std::uint64_t> parameter_bytes = 0;
  std::optional<std::uint64_t> multiply_adds = 0;
  std::vector<std::string> problems;  ///< Why it does not convert.
  std::vector<std::string> warnings;
  std::vector<std::int64_t> counterparts;  ///< Nodes of the other graph.
  std::vector<PassEvent> passes;           ///< Of an MXNet node: what passes did to what it became.
};

struct PictureGraph {
  std::string side;  ///< "mxnet" or "onnx".
  std::vector<PictureNode> nodes;
  std::vector<PictureValue> values;
  std::vector<std::int64_t> inputs;   ///< Values that are fed.
  std::vector<std::int64_t> outputs;  ///< Values that come out.
};

struct Picture {
  std::string name;  ///< Of the file.
  Inspection inspection;
  /// The graph of the file; and, of an MXNet model that converts, the ONNX graph.
  std::vector<PictureGraph> graphs;
};

struct PictureOptions {
  /// Numbers of weights that are read for statistics, of all arrays together; 0 for none.
  std::uint64_t most_numbers = 50'000'000;
};

/// As `inspect`, with the graphs. Parameters without a graph have none.
MX2ONNX_EXPORT Picture make_picture(const Source& source, const ConvertOptions& options = {},
                                    const PictureOptions& looks = {});

/// The document of the inspection with three members more: `name`, `graphs` and `documentation` of
/// MXNet's operators in them.
MX2ONNX_EXPORT std::string to_json(const Picture& picture);

/// One page that needs nothing else: no network, no other file.
MX2ONNX_EXPORT std::string to_html(const Picture& picture);

/// The graph of the file for Graphviz, blocks as clusters. Fails with kUsage if it has none.
MX2ONNX_EXPORT std::string to_dot(const Picture& picture);

/// Writes a text into a file, which is complete or not there. Fails with kIo.
MX2ONNX_EXPORT void write_document(const std::string& text, const std::filesystem::path& output);

}  // namespace mx2onnx
