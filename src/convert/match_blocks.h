// Parameters of `save_parameters` beside a symbol: the file calls them by the blocks that they are
// in ("features.0.weight"), the symbol by the blocks' names ("conv0_weight").
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "mx2onnx/convert.h"
#include "mxnet/parameters.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// Whether all names are paths of blocks to parameters, as `save_parameters` writes them.
bool has_block_names(const std::vector<std::string>& names);

/// Binds the parameters of the nodes `missing` to the stored arrays, block by block, where shapes
/// leave one assignment; blocks of the same shapes that are numbered in one container
/// (`HybridSequential` runs them in that order) come in the symbol's order. Says so in the report
/// (`W-parameters-renamed`) and returns the stored names that were taken. There are none, and the
/// model is unchanged, where something is left open or left over.
std::set<std::string> bind_by_blocks(Model& model, const mxnet::ParameterSet& params,
                                     const ConvertOptions& options,
                                     const std::vector<std::size_t>& missing, Report& report);

}  // namespace mx2onnx
