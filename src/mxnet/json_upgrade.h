// What MXNet does to symbols of older versions when it loads them (src/nnvm/legacy_json_util.cc).
#pragma once

#include <string>
#include <vector>

#include "mxnet/symbol.h"

namespace mx2onnx::mxnet {

/// What the upgrade has to know of operators; the operator registry implements it.
class OperatorSignatures {
 public:
  virtual ~OperatorSignatures() = default;
  /// The names of all inputs that an operator has with these attributes, in order, auxiliary states
  /// last; empty for an operator that is not known or takes any number of inputs.
  virtual std::vector<std::string> input_names(const std::string& op,
                                               const Attributes& attrs) const = 0;
};

/// Brings a symbol, subgraphs included, to the form that MXNet 1.9.1 would have in memory:
/// - scheduling keys (`lr_mult`, `ctx_group`…) become hidden ones (`__lr_mult__`) and leave the
///   operator's attributes;
/// - before 0.9 auxiliary states were not in the file: they are added as variables
///   `<node>_<input name>`;
/// - before 0.9.5 `axis=-1` of argmax and argmin meant "no axis".
Symbol upgrade_symbol(Symbol symbol, const OperatorSignatures& signatures);

}  // namespace mx2onnx::mxnet
