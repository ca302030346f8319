// Which nodes belong together: the blocks that a model was written in, as far as names tell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mx2onnx::picture {

/// What a node says of where it belongs.
struct BlockHints {
  std::string_view name;
  std::string_view op;
  std::string_view scope;                    ///< As MXNet's profiler has it, "net:stage1:".
  std::vector<std::string_view> parameters;  ///< Names of the weights that go into it.
  std::vector<std::uint32_t> inputs;         ///< Nodes before it.
};

/// A path of blocks for each node, the outermost first. A block has two nodes or more, and no way
/// leads out of it and into it again, so that it can be shown as one box: what is called several
/// times becomes "name (2)", and what has a name in common and no more is no block.
std::vector<std::vector<std::string>> find_blocks(const std::vector<BlockHints>& nodes);

}  // namespace mx2onnx::picture
