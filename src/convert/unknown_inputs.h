// The one error that names all inputs that have to be described, with what is known of each.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "convert/trial.h"

namespace mx2onnx {

/// Fails with kModel. `scan` is the trial that knows most of the inputs `open`, `shapes` has what
/// is known of the numbers of dimensions, and `why` is what the sizes that were supposed failed
/// with.
[[noreturn]] void fail_unknown_inputs(TrialRunner& runner, const Source& source,
                                      const std::map<std::size_t, Shape>& shapes,
                                      const std::vector<std::size_t>& open, const Trial& scan,
                                      const std::optional<Error>& why);

}  // namespace mx2onnx
