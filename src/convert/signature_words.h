// What people are told of sizes and numbers of dimensions that were chosen for them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "convert/rank_search.h"
#include "infer/infer.h"
#include "ir/tensor_type.h"
#include "mx2onnx/report.h"

namespace mx2onnx {

/// W-dim-fixed or W-dim-condition.
Diagnostic describe_fixed(const FixedSize& fixed);

/// W-rank-chosen, of an input that got this shape.
Diagnostic describe_rank(const RankChoice& choice, const std::string& input, const Shape& shape);

/// "sizes 'height' and 'width'"
std::string quoted_sizes(const std::set<std::string>& names);

/// "--input data:batch,3,HEIGHT,WIDTH"
std::string input_option(const std::string& input, const std::vector<std::string>& dims);

/// The end of a message of a choice: what to say for another one. Empty if the option is.
std::string otherwise(const std::string& option);

}  // namespace mx2onnx
