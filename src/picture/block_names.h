// What names of nodes and parameters say of blocks.
#pragma once

#include <string>
#include <vector>

#include "picture/blocks.h"

namespace mx2onnx::picture {

using BlockPath = std::vector<std::string>;

/// The path in the node's own scope or name; empty if it tells nothing.
BlockPath path_of_name(const BlockHints& node);

/// Paths by the parameters' names ("features.5.0.bn1.gamma"), for graphs whose nodes are only
/// numbered. What has no parameters is where its inputs are.
std::vector<BlockPath> paths_of_parameters(const std::vector<BlockHints>& nodes);

}  // namespace mx2onnx::picture
