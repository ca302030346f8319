// An MXNet symbol: the graph of a `*-symbol.json`. Built by the reader, changed by the upgrade that
// MXNet itself does on load, and read-only from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mx2onnx::mxnet {

/// One output of a node.
struct NodeEntry {
  std::uint32_t node = 0;
  std::uint32_t index = 0;

  friend bool operator==(const NodeEntry&, const NodeEntry&) = default;
};

/// Attribute texts as the file has them.
using Attributes = std::map<std::string, std::string, std::less<>>;

struct Symbol;

struct Node {
  std::string op;  ///< MXNet's operator name; empty for a variable.
  std::string name;
  Attributes attrs;
  std::vector<NodeEntry> inputs;
  std::vector<std::shared_ptr<const Symbol>> subgraphs;  ///< Of control-flow operators.

  bool is_variable() const { return op.empty(); }
};

struct Symbol {
  /// Every input of a node refers to a node before it.
  std::vector<Node> nodes;
  /// The outputs, in order; an entry may occur twice, and may be a variable's.
  std::vector<NodeEntry> heads;
  /// The version that wrote the file, as MXNet counts (10901 is 1.9.1). 800 if the file does not
  /// say: the number was introduced in 0.9.
  std::int64_t mxnet_version = 800;
  /// False if the file does not say its version.
  bool says_version = false;
  /// NumPy's shape semantics: a size of 0 means 0, and -1 is unknown. Otherwise 0 is unknown.
  bool np_shape = false;
};

/// "1.9.1" for 10901.
std::string version_text(std::int64_t mxnet_version);

/// 10901 for "1.9.1", 700 for "0.7", 20000 for "2.0.0b1". Fails with kUsage for what is no version
/// that an MXNet had.
std::int64_t parse_version(std::string_view text);

}  // namespace mx2onnx::mxnet
