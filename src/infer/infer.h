// Shape and type inference over a whole model: forward in topological order, then again over
// whatever a rule's refinement touched, until nothing changes. Knowledge only grows, so this ends.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "ops/record/infer_context.h"
#include "ops/record/model.h"

namespace mx2onnx {

/// A node that wants floating-point numbers where inputs of the model have integers.
struct DtypeConflict {
  std::vector<std::uint32_t> inputs;  ///< Nodes of the model.
  std::int64_t index = 0;             ///< Of the node, in its subgraph.
  std::string node;
  std::string op;
  std::string message;
};

struct InferResult {
  /// One per entry of the model. Complete for live nodes, unless `fixed` or `conflict` is set.
  std::vector<EntryInfo> entries;
  /// The same of each subgraph, however deep.
  std::map<const Model*, std::vector<EntryInfo>> bodies;
  /// A free size that the model fixes: inference has to start again with that size.
  std::optional<FixedSize> fixed;
  /// Inference has to start again with these inputs converted.
  std::optional<DtypeConflict> conflict;
};

struct InferOptions {
  /// What cannot be found stays unknown, instead of being an error.
  bool allow_unknown = false;
  /// A node whose rule fails or fixes a size is passed over, for what the others know.
  bool pass_over_failures = false;
  /// Asked for a size of an input of the model that no rule determines. If it is empty, such sizes
  /// stay unknown.
  std::function<Dim(std::size_t node, std::size_t axis, std::size_t rank)> name_size;
};

/// Infers types of all live entries. Inputs without an element type become float32. Fails with
/// kModel where shapes disagree or cannot be found.
InferResult infer_types(const Model& model, DimArena& arena, const InferOptions& options = {});

}  // namespace mx2onnx
