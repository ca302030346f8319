// What the attributes begin, end and step have in common wherever they stand together.
#pragma once

#include <vector>

#include "ops/record/attr_schema.h"

namespace mx2onnx {

/// As many ends as begins, as many steps or none, and no step of 0.
std::vector<AttrProblem> check_slice_ranges(const OptionalTuple& begin, const OptionalTuple& end,
                                            const OptionalTuple& step);

}  // namespace mx2onnx
