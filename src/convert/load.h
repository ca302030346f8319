// Reading the parts of a model from wherever they are.
#pragma once

#include "base/budget.h"
#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "mxnet/symbol.h"
#include "source/find_model.h"

namespace mx2onnx {

/// The parameters of the files, and the arrays that the source has.
mxnet::ParameterSet load_parameters(const source::FoundModel& found, const Source& source,
                                    const ConvertOptions& options, Unpacker& unpacker);

/// The symbol, upgraded to what MXNet 1.9.1 would have in memory, with the outputs that the options
/// ask for.
mxnet::Symbol load_symbol(const source::FoundModel& found, const ConvertOptions& options);

/// Limits as the source has them.
UnpackLimits unpack_limits(const Source& source);

/// The budget for what is made of a model whose parts have been found.
BudgetScope budget_for(const source::FoundModel& found, const Source& source);

/// The options, with the inputs that were found beside the model where the user says nothing of
/// them, and with the preparation of a known net if it is asked for. Inputs that the symbol does
/// not have are left out, and a note says so.
ConvertOptions with_found(const source::FoundModel& found, const mxnet::Symbol& symbol,
                          const ConvertOptions& options, std::vector<Diagnostic>& notes);

}  // namespace mx2onnx
