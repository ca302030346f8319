#include "picture/blocks.h"

#include <algorithm>
#include <map>

#include "picture/block_names.h"

namespace mx2onnx::picture {
namespace {

using Group = std::vector<std::uint32_t>;  // nodes, in the graph's order

// Of a block that lies about in the graph nothing is looked at: that would take its length for each
// of its nodes.
constexpr std::size_t kWidest = 20;
constexpr std::size_t kWidestAtAll = 200;

class Finder {
 public:
  Finder(const std::vector<BlockHints>& nodes, std::vector<BlockPath> paths)
      : nodes_(nodes), paths_(std::move(paths)), turn_(nodes.size(), 0), member_(nodes.size(), 0) {}

  std::vector<BlockPath> run() {
    Group all(nodes_.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    split(all, 0);
    return std::move(paths_);
  }

 private:
  // Makes blocks of the nodes that are together down to `depth`. As deep as a path is long.
  void split(const Group& group, std::size_t depth) {
    for (bool again = true; again;) {
      again = false;
      std::map<std::string_view, Group> children;
      for (const auto node : group) {
        if (paths_[node].size() > depth) children[paths_[node][depth]].push_back(node);
      }
      // Names are views into the paths, which change from here on.
      std::vector<Group> blocks;
      for (auto& [name, block] : children) blocks.push_back(std::move(block));
      for (const auto& block : blocks) {
        if (block.size() == group.size()) {
          join_with_parent(block, depth);
          again = true;
        } else if (block.size() == 1) {
          paths_[block[0]].resize(depth);
        } else {
          const std::uint32_t turns = turns_of(block);
          if (2 * std::size_t{turns} > block.size()) {
            again |= dissolve(block, depth);
          } else if (turns > 1) {
            number_turns(block, depth);
            again = true;
          }
        }
      }
    }
    if (depth >= kDeepestBlock) return;
    std::map<std::string_view, Group> children;
    for (const auto node : group) {
      if (paths_[node].size() > depth) children[paths_[node][depth]].push_back(node);
    }
    std::vector<Group> blocks;
    for (auto& [name, block] : children) blocks.push_back(std::move(block));
    for (const auto& block : blocks) split(block, depth + 1);
  }

  // A block with all that its parent has: one of the two is enough.
  void join_with_parent(const Group& block, std::size_t depth) {
    for (const auto node : block) {
      auto& path = paths_[node];
      if (depth > 0) path[depth - 1] += "_" + path[depth];
      path.erase(path.begin() + static_cast<std::ptrdiff_t>(depth));
    }
  }

  // What was no block is a part of the names within it. True if there are such.
  bool dissolve(const Group& block, std::size_t depth) {
    bool has_more = false;
    for (const auto node : block) {
      auto& path = paths_[node];
      if (path.size() > depth + 1) {
        path[depth + 1] = path[depth] + "_" + path[depth + 1];
        has_more = true;
      }
      path.erase(path.begin() + static_cast<std::ptrdiff_t>(depth));
    }
    return has_more;
  }

  // How often the graph comes into the block; a number that is too large if nobody has counted.
  std::uint32_t turns_of(const Group& block) {
    const std::uint32_t first = block.front();
    const std::size_t range = block.back() - first + std::size_t{1};
    if (range == block.size()) return 1;
    if (range > kWidest * block.size() + kWidestAtAll)
      return static_cast<std::uint32_t>(block.size());
    for (std::uint32_t i = first; i <= block.back(); ++i) turn_[i] = 0;
    for (const auto node : block) member_[node] = 1;
    std::uint32_t turns = 1;
    for (std::uint32_t i = first; i <= block.back(); ++i) {
      // A node of the block is in the turn that its inputs are in, or after what they were.
      std::uint32_t turn = member_[i];
      for (const auto input : nodes_[i].inputs) {
        if (input < first) continue;
        const bool comes_back = member_[i] != 0 && member_[input] == 0 && turn_[input] != 0;
        turn = std::max(turn, turn_[input] + (comes_back ? 1 : 0));
      }
      turn_[i] = turn;
      turns = std::max(turns, turn);
    }
    for (const auto node : block) member_[node] = 0;
    return turns;
  }

  void number_turns(const Group& block, std::size_t depth) {
    for (const auto node : block) {
      if (turn_[node] > 1) paths_[node][depth] += " (" + std::to_string(turn_[node]) + ")";
    }
  }

  static constexpr std::size_t kDeepestBlock = 16;
  const std::vector<BlockHints>& nodes_;
  std::vector<BlockPath> paths_;
  std::vector<std::uint32_t> turn_;
  std::vector<std::uint32_t> member_;
};

}  // namespace

std::vector<std::vector<std::string>> find_blocks(const std::vector<BlockHints>& nodes) {
  std::vector<BlockPath> paths;
  std::size_t named = 0;
  bool has_keys = false;
  for (const auto& node : nodes) {
    paths.push_back(path_of_name(node));
    named += paths.back().empty() ? 0 : 1;
    for (const auto name : node.parameters)
      has_keys = has_keys || name.find('.') != std::string_view::npos;
  }
  if (has_keys && 2 * named < nodes.size()) paths = paths_of_parameters(nodes);
  return Finder(nodes, std::move(paths)).run();
}

}  // namespace mx2onnx::picture
