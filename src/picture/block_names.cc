#include "picture/block_names.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace mx2onnx::picture {
namespace {

// Deeper ones are no blocks of anybody.
constexpr std::size_t kDeepest = 16;

BlockPath split(std::string_view text, char separator) {
  BlockPath parts;
  while (!text.empty() && parts.size() < kDeepest) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view without_digits(std::string_view text) {
  while (!text.empty() && std::isdigit(static_cast<unsigned char>(text.back())) != 0)
    text.remove_suffix(1);
  return text;
}

// "conv0_" of the name "conv0_broadcast_add3" that MXNet made up for a broadcast_add.
std::string_view without_operator(std::string_view name, std::string_view op) {
  const std::string lowered = lower(name);
  std::string_view stem = without_digits(lowered);
  std::string hint = lower(op);
  hint.erase(0, std::min(hint.find_first_not_of('_'), hint.size()));
  if (hint.empty() || !stem.ends_with(hint)) return {};
  return name.substr(0, stem.size() - hint.size());
}

// Gluon 2 numbers its nodes, and so do programs that had no names.
bool is_number_alone(std::string_view name) {
  std::string_view stem = without_digits(name);
  return stem == "node_" || stem == "node" || stem.empty();
}

BlockPath parents(std::string_view name, char separator) {
  BlockPath path = split(name, separator);
  if (!path.empty()) path.pop_back();
  return path;
}

// Where the latest of the inputs is, or where several of them have their common block. What skips
// over the block of the latest (another node of the block takes it, too) is passed over.
class Neighbours {
 public:
  Neighbours(const std::vector<BlockHints>& nodes, const std::vector<BlockPath>& paths)
      : nodes_(nodes), paths_(paths), first_user_(nodes.size(), 0) {
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
      for (const auto input : nodes[i].inputs) {
        if (first_user_[input] == 0) first_user_[input] = i;
      }
    }
  }

  BlockPath path(std::uint32_t index) const {
    const auto& inputs = nodes_[index].inputs;
    if (inputs.empty()) return {};
    const std::uint32_t latest = *std::max_element(inputs.begin(), inputs.end());
    BlockPath common = paths_[latest];
    for (const auto input : inputs) {
      if (input == latest || skips(input, latest)) continue;
      const auto& other = paths_[input];
      const auto [end, ignored] =
          std::mismatch(common.begin(), common.end(), other.begin(), other.end());
      common.erase(end, common.end());
    }
    return common;
  }

 private:
  bool skips(std::uint32_t input, std::uint32_t latest) const {
    const std::uint32_t user = first_user_[input];
    return user <= latest && paths_[user] == paths_[latest];
  }

  const std::vector<BlockHints>& nodes_;
  const std::vector<BlockPath>& paths_;
  std::vector<std::uint32_t> first_user_;
};

}  // namespace

BlockPath path_of_name(const BlockHints& node) {
  if (!node.scope.empty() && !node.scope.starts_with("<unk>")) return split(node.scope, ':');
  const std::string_view name = node.name;
  if (name.find('/') != std::string_view::npos) {
    BlockPath path = parents(name, '/');
    // An ONNX graph of ours: the MXNet node and what it became.
    if (path.size() == 1) path = split(path[0], '_');
    return path;
  }
  if (is_number_alone(name)) return {};
  if (name.find('.') != std::string_view::npos) return parents(name, '.');
  const std::string_view scope = without_operator(name, node.op);
  return scope.empty() ? parents(name, '_') : split(scope, '_');
}

std::vector<BlockPath> paths_of_parameters(const std::vector<BlockHints>& nodes) {
  std::vector<BlockPath> paths(nodes.size());
  const Neighbours neighbours(nodes, paths);
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    std::optional<BlockPath> common;
    for (const auto parameter : nodes[i].parameters) {
      BlockPath path = parents(parameter, '.');
      // The last but one is the layer itself.
      if (!path.empty()) path.pop_back();
      if (!common) {
        common = std::move(path);
        continue;
      }
      const auto [end, ignored] =
          std::mismatch(common->begin(), common->end(), path.begin(), path.end());
      common->erase(end, common->end());
    }
    paths[i] = common ? std::move(*common) : neighbours.path(i);
  }
  return paths;
}

}  // namespace mx2onnx::picture
