// What stands in the way of a conversion, collected over the whole model and told in one message.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mx2onnx/error.h"

namespace mx2onnx {

/// One thing at one node that cannot be converted.
struct NodeProblem {
  std::int64_t node_index = 0;
  std::string node;
  std::string op;
  std::string attribute;  ///< Empty if it is not about one attribute.
  std::string message;
  std::string hint;
  ErrorCode code = ErrorCode::kUnsupported;
};

/// Fails with all the problems if there are any: a single one in the usual form, several as a list
/// in which nodes of one operator with the same problem share a line. `outputs` is an option for
/// the outputs that have none of these problems, or empty.
void fail_if_any(const std::vector<NodeProblem>& problems, int opset,
                 const std::string& outputs = {});

/// The lines of such a list, of which there are 50 at most and one that says how many more.
std::vector<std::string> problem_lines(const std::vector<NodeProblem>& problems);

}  // namespace mx2onnx
