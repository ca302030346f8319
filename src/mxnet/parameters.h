// The parameters of a model, gathered from any number of files or arrays, by name.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/tensor.h"
#include "mx2onnx/convert.h"
#include "mxnet/param_files.h"

namespace mx2onnx::mxnet {

/// The name after the first rule that matches, or the name itself.
std::string rename(std::string_view name, const std::vector<RenameRule>& rules);

class ParameterSet {
 public:
  /// Adds the arrays of one source (a file's path, for messages). Prefixes `arg:` and `aux:` are
  /// taken off. An array without a name, and a name that is there already, fail with kModel.
  void add(std::vector<StoredArray> arrays, const std::string& source,
           const std::vector<RenameRule>& rules = {});

  /// Null if there is no such parameter.
  const Tensor* find(std::string_view name) const;
  /// All names, sorted.
  std::vector<std::string> names() const;
  std::size_t size() const { return by_name_.size(); }

 private:
  struct Entry {
    Tensor tensor;
    std::string source;
  };
  std::map<std::string, Entry, std::less<>> by_name_;
};

}  // namespace mx2onnx::mxnet
