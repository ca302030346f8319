// Weights with the same type and the same bytes are stored once. Bytes are hashed only where
// another weight has the same type, shape and first and last bytes, so that most files are never
// read for this.
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
using Key = std::tuple<DType, std::vector<std::int64_t>, std::vector<std::byte>>;

Key key_of(const Tensor& tensor) {
  // Whole elements, of whatever size.
  const std::size_t size = std::min(kProbe, tensor.size_bytes());
  std::vector<std::byte> probe(2 * size);
  tensor.data->read(0, std::span(probe).first(size));
  tensor.data->read(tensor.size_bytes() - size, std::span(probe).last(size));
  return {tensor.dtype, tensor.dims, std::move(probe)};
}

ContentHash hash_of(const TensorData& data) {
  if (const auto view = data.view()) return content_hash(*view);
  ContentHasher hasher;
  data.for_each_piece([&](std::span<const std::byte> piece) {
    interruption_point();
    hasher.add(piece);
  });
  return hasher.hash();
}

}  // namespace

std::size_t share_duplicate_weights(Graph& graph, const PassOptions& options) {
  if (options.weights_stay) return 0;
  const GraphUses uses(graph);
  std::map<Key, std::vector<Value>> groups;
  for (std::uint32_t id = 0; id < graph.num_values(); ++id) {
    const Value value{id};
    const Tensor* tensor = graph.constant(value);
    if (tensor == nullptr || uses.count(value) == 0 || uses.is_output(value)) continue;
    groups[key_of(*tensor)].push_back(value);
  }
  Replacements replacements(graph);
  std::size_t count = 0;
  for (const auto& [key, group] : groups) {
    if (group.size() < 2) continue;
    std::map<ContentHash, Value> first_with;
    for (const Value value : group) {
      interruption_point();
      const auto hash = hash_of(*graph.constant(value)->data);
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
