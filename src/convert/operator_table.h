// The operators that one conversion knows: the user's own come first, then the library's as they
// are in files of the model's origin, then, if the user allows it, any other as a node of a custom
// domain. Nothing behind this table asks which MXNet wrote a file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mx2onnx/convert.h"
#include "ops/record/registry.h"

namespace mx2onnx {

class OperatorTable {
 public:
  /// The records of the user's operators compute with sizes of the arena; of the library's, the
  /// variants for files of the origin are taken.
  OperatorTable(const ConvertOptions& options, DimArena& arena, Origin origin);

  int opset() const { return opset_; }

  /// Null if there is no record. `num_outputs` is how many outputs of the node are used, for an
  /// operator of which nothing else is known.
  const OpDef* find(const mxnet::Node& node, std::size_t num_outputs);

  /// Names of all operators but those of the custom domain.
  std::vector<std::string> all_names() const;

  /// What keeps the records alive that are not the library's.
  std::vector<std::shared_ptr<const OpDef>> own_operators() const;

 private:
  int opset_;
  OperatorsOf library_;
  std::string custom_domain_;
  std::map<std::string, std::shared_ptr<const OpDef>> own_;
  std::map<std::pair<std::string, std::size_t>, std::shared_ptr<const OpDef>> of_domain_;
};

/// "Custom:my_op" for an operator in Python, else the operator's name.
std::string operator_key(const mxnet::Node& node);

}  // namespace mx2onnx
