// Looking at a file without converting it: what is in it, and whether it would convert.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mx2onnx/convert.h"

namespace mx2onnx {

enum class FileKind {
  kSymbol,      ///< A graph of MXNet, with or without its parameters.
  kParameters,  ///< Arrays of MXNet, without a graph.
  kOnnx,
};

struct OperatorCount {
  std::string op;
  std::size_t nodes = 0;
  bool known = false;
};

/// A node of the graph. Its parameters are those that no layer before it uses.
struct LayerInfo {
  std::string name;
  std::string op;
  /// Of the first output; a dtype of "unknown", sizes of "?", and a shape of a single "..." are not
  /// known.
  std::string dtype;
  std::vector<std::string> shape;
  /// Numbers in them, and the bytes that these take. Nothing if a parameter is missing and its
  /// shape is not known.
  std::optional<std::uint64_t> parameters = 0;
  std::optional<std::uint64_t> parameter_bytes = 0;
  /// Multiplications with an addition each, of convolutions, matrix products and recurrent layers
  /// (0 for others), for a size of 1 where the first size of an input is free. Nothing if other
  /// sizes are not known.
  std::optional<std::uint64_t> multiply_adds = 0;
};

/// An array of a parameter file.
struct ArrayInfo {
  std::string name;  ///< As the file has it, with `arg:` or `aux:`; may be empty.
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
};

struct Inspection {
  FileKind kind = FileKind::kSymbol;
  std::string mxnet_version;  ///< Of a symbol.
  bool np_shape = false;
  std::vector<OperatorCount> operators;  ///< Sorted by name.
  /// What the user feeds, with all that the model's weights say of it. Sizes that are not known are
  /// "?", and a shape of a single "..." is of an unknown number of dimensions.
  std::vector<PortReport> inputs;
  std::vector<PortReport> outputs;
  std::vector<LayerInfo>
      layers;  ///< In the graph's order; bodies of loops and branches are not in it.
  /// Sizes that are 1 where multiplications are counted.
  std::vector<std::string> counted_as_one;
  std::vector<ArrayInfo> arrays;  ///< Of a parameter file.
  /// The names of all variables, in MXNet's order.
  std::vector<std::string> arguments;
  /// Inputs of loss heads, which a converted model does not have.
  std::vector<std::string> labels;
  std::vector<std::string> missing_parameters;
  std::size_t num_parameters = 0;     ///< Arrays that the model uses.
  std::uint64_t parameter_count = 0;  ///< Numbers in them.
  std::uint64_t parameter_bytes = 0;
  int opset = 0;          ///< That it was tried with; of an ONNX file, its own.
  bool converts = false;  ///< True if `convert` makes a file of it.
  /// The code that `convert` fails with.
  std::optional<ErrorCode> failure;
  /// All that stands in the way, in the words of `convert`, and what may be done about it.
  std::vector<std::string> problems;
  std::vector<std::string> hints;
  /// What `convert` warns of.
  std::vector<Diagnostic> diagnostics;
  /// Of an ONNX file: its domains with their opsets, its metadata, and who made it.
  std::vector<std::pair<std::string, std::int64_t>> opsets;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string producer;
  std::int64_t ir_version = 0;
};

/// Reads a file and says what is in it; a model is converted, up to where the file would be
/// written, to say what stands in the way. Only unreadable and malformed files, and options that
/// make no sense, are errors.
Inspection inspect(const Source& source, const ConvertOptions& options = {});

/// An inspection as a JSON document with the fields' names as keys, numbers as numbers.
std::string to_json(const Inspection& inspection);

}  // namespace mx2onnx
