// Looking at a model without converting it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mx2onnx/convert.h"
#include "mx2onnx/export.h"

namespace mx2onnx {

struct OperatorCount {
  std::string op;
  std::size_t nodes = 0;
  bool known = false;
};

struct Inspection {
  std::string mxnet_version;
  bool np_shape = false;
  std::vector<OperatorCount> operators;  ///< Sorted by name.
  /// What the user feeds; sizes that are not known are "?".
  std::vector<PortReport> inputs;
  std::vector<PortReport> outputs;
  /// Inputs of loss heads, which a converted model does not have.
  std::vector<std::string> labels;
  std::vector<std::string> missing_parameters;
  std::size_t num_parameters = 0;  ///< That the model uses.
  std::uint64_t parameter_bytes = 0;
  /// What would not convert at the opset, a line each.
  std::vector<std::string> problems;
};

/// Reads a model and says what is in it. Only unreadable and malformed files are errors.
MX2ONNX_EXPORT Inspection inspect(const Source& source, const ConvertOptions& options = {});

/// An inspection as a JSON document with the fields' names as keys.
MX2ONNX_EXPORT std::string to_json(const Inspection& inspection);

}  // namespace mx2onnx
