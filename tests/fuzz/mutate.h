// Small changes of a model that leave it a model: nodes, edges, attributes, shapes, heads,
// parameters.
#pragma once

#include "tests/fuzz/draw.h"
#include "tests/fuzz/model_file.h"

namespace mx2onnx::fuzz {

/// Changes one to four things.
void mutate(FuzzModel& model, Draw& draw);

/// A model of one variable and one node.
FuzzModel new_model(Draw& draw);

/// Feeds the second model from a value of the first one.
FuzzModel joined(FuzzModel first, const FuzzModel& second, Draw& draw);

}  // namespace mx2onnx::fuzz
