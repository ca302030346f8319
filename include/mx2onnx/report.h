// What a conversion has to say beside its result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mx2onnx/error.h"
#include "mx2onnx/export.h"

namespace mx2onnx {

/// A warning. The id is stable: `W-dim-fixed`, `W-unused-input`…
struct Diagnostic {
  std::string id;
  std::string node;  ///< MXNet node or input it speaks of; may be empty.
  std::string message;
};

/// An input or output of the converted model.
struct PortReport {
  std::string name;
  std::string dtype;  ///< NumPy's name.
  /// Numbers, names of free sizes, or expressions of these. A single "..." if not even the number
  /// of dimensions is known, which only nodes of a custom domain bring about.
  std::vector<std::string> shape;
};

/// What is known of an operator that the model has: where MXNet computes something else, or
/// nothing.
struct OperatorNotes {
  std::string op;
  std::size_t nodes = 0;
  std::vector<std::string> notes;  ///< As the table of operators has them.
};

/// What became of the graph in half precision.
struct PrecisionReport {
  struct Kept {
    std::string op;      ///< ONNX's.
    std::string reason;  ///< Why it stays float32.
    std::size_t nodes = 0;
  };
  std::string dtype;  ///< "float16" or "bfloat16"; empty if that was not asked for.
  /// Nodes that compute in it or, of bfloat16, weights that are stored in it.
  std::size_t count = 0;
  std::vector<Kept> kept;
  /// Elements of weights that would have become infinite, and are the largest number instead.
  std::uint64_t clamped = 0;
  /// Elements of weights, not 0, that came below the smallest normal number, where digits are lost.
  std::uint64_t subnormal = 0;
};

/// What became of the weights that are stored as int8 or int4.
struct WeightsReport {
  struct Left {
    std::string op;      ///< ONNX's, that takes them.
    std::string reason;  ///< Why they stay float32.
    std::size_t weights = 0;
    std::uint64_t bytes = 0;
  };
  std::string dtype;  ///< "int8" or "int4"; empty if that was not asked for.
  std::int64_t block = 0;
  std::size_t count = 0;           ///< Weights that are stored so; rows of embeddings are int8.
  std::uint64_t bytes_before = 0;  ///< That these took as float32.
  std::uint64_t bytes_after = 0;   ///< That they take with their scales.
  /// The root of the mean square of what rounding changed, in relation to that of the elements; of
  /// all of them, and of the weight where it is largest.
  double difference = 0;
  double largest_difference = 0;
  std::string largest_difference_of;
  /// Elements that are not finite: a NaN became 0, an infinity the largest number of its block.
  std::uint64_t not_finite = 0;
  std::vector<Left> left;
};

struct Report {
  std::vector<PortReport> inputs;
  std::vector<PortReport> outputs;
  std::vector<Diagnostic> diagnostics;
  std::vector<OperatorNotes> notes;
  int opset = 0;
  int ir_version = 0;
  std::size_t num_mxnet_nodes = 0;  ///< Operators, variables not counted.
  std::size_t num_onnx_nodes = 0;
  std::size_t num_parameters = 0;     ///< Initializers that came from the parameter files.
  std::uint64_t parameter_bytes = 0;  ///< Of all parameters, those of random numbers as well.
  /// The passes that ran, with the number of changes each made.
  std::vector<std::pair<std::string, std::size_t>> passes;
  std::string version;      ///< Of mx2onnx.
  std::string symbol_file;  ///< What was converted; empty if it is no file of its own.
  std::string output;       ///< The file that was written; empty for a model in memory.
  /// The parameter files that the model refers to, with `weights_in_place`.
  std::vector<std::string> weights_in_place;
  std::string output_data;         ///< The file with its weights beside it; empty if there is none.
  std::uint64_t output_bytes = 0;  ///< Of the model, and of the file with its weights beside it.
  PrecisionReport precision;
  WeightsReport weights;
  /// The steps of the conversion in order, and the seconds that each took.
  std::vector<std::pair<std::string, double>> seconds;
};

/// A report as a JSON document with the fields' names as keys.
MX2ONNX_EXPORT std::string to_json(const Report& report);

/// All that is in the way of a conversion that failed, a line each; of other failures the whole
/// text.
MX2ONNX_EXPORT std::vector<std::string> problems_of(const Error& error);

/// A failure as a JSON document `{"error": {…}}` with `code`, `kind`, `file`, `node`, `operator`,
/// `attribute`, `message`, `hint` and `problems`; null for what is not known.
MX2ONNX_EXPORT std::string to_json(const Error& error);

}  // namespace mx2onnx
