// Weights with the same type and the same bytes are stored once. Bytes are hashed only where
// another weight has the same type, shape and first and last bytes, so that most files are never
// read for this.
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "base/hash.h"
#include "base/interruption.h"
#include "passes/graph_uses.h"
#include "passes/pass.h"

namespace mx2onnx::passes {
namespace {

using onnx::Graph;
using onnx::Value;

constexpr std::size_t kProbe = 64;

// Cheap to compute; equal weights have equal keys.
using Key = std::tuple<DType, std::vector<std::int64_t>, std::string>;

Key key_of(const Tensor& tensor, std::span<const std::byte> bytes) {
  std::string probe;
  const auto take = [&](std::span<const std::byte> part) {
    probe.append(reinterpret_cast<const char*>(part.data()), part.size());
  };
  take(bytes.first(std::min(kProbe, bytes.size())));
  take(bytes.last(std::min(kProbe, bytes.size())));
  return {tensor.dtype, tensor.dims, std::move(probe)};
}

}  // namespace

std::size_t share_duplicate_weights(Graph& graph) {
  const GraphUses uses(graph);
  std::map<Key, std::vector<Value>> groups;
  for (std::uint32_t id = 0; id < graph.num_values(); ++id) {
    const Value value{id};
    const Tensor* tensor = graph.constant(value);
    if (tensor == nullptr || uses.count(value) == 0 || uses.is_output(value)) continue;
    // What is computed while it is written is not worth computing twice.
    const auto view = tensor->data->view();
    if (view) groups[key_of(*tensor, *view)].push_back(value);
  }
  Replacements replacements(graph);
  std::size_t count = 0;
  for (const auto& [key, group] : groups) {
    if (group.size() < 2) continue;
    std::map<ContentHash, Value> first_with;
    for (const Value value : group) {
      interruption_point();
      const auto hash = content_hash(*graph.constant(value)->data->view());
      const auto [entry, is_new] = first_with.try_emplace(hash, value);
      if (is_new) continue;
      replacements.add(value, entry->second);
      ++count;
    }
  }
  replacements.apply(graph);
  return count;
}

}  // namespace mx2onnx::passes
