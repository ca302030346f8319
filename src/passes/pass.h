// A pass is one small file with a telling name that changes an ONNX graph without changing what it
// computes. pipeline.cc is the ordered list.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/graph.h"
#include "onnx/schema.h"

namespace mx2onnx::passes {

struct PassOptions {
  /// Of the model that is written.
  int opset = onnx::kNewestOpset;
  /// Weights stay in their files, so that other ones are no gain.
  bool weights_stay = false;
};

struct Pass {
  std::string_view name;
  std::string_view summary;
  /// Changes the graph and returns how many changes it made.
  std::size_t (*run)(onnx::Graph& graph, const PassOptions& options);
};

/// All passes, in the order in which they run.
const std::vector<Pass>& pipeline();

/// Fails with kUsage if a name is that of no pass.
void check_names(const std::vector<std::string>& disabled);

/// Runs the passes that are not disabled, in order, and again as long as one of them made something
/// for another to find; the counts of changes by pass. Calls `after` with the name of a pass whenever
/// it has changed something.
std::vector<std::pair<std::string, std::size_t>> run_pipeline(
    onnx::Graph& graph, const std::vector<std::string>& disabled, const PassOptions& options = {},
    const std::function<void(std::string_view pass)>& after = {});

std::size_t remove_identities(onnx::Graph& graph, const PassOptions& options = {});
/// What gives up to 1 KiB or, unless weights stay, lets the file grow little.
std::size_t fold_constants(onnx::Graph& graph, const PassOptions& options = {});
std::size_t merge_reshapes(onnx::Graph& graph, const PassOptions& options = {});
std::size_t merge_casts(onnx::Graph& graph, const PassOptions& options = {});
std::size_t name_depth_to_space(onnx::Graph& graph, const PassOptions& options = {});
std::size_t merge_bounds(onnx::Graph& graph, const PassOptions& options = {});
std::size_t name_hard_activations(onnx::Graph& graph, const PassOptions& options = {});
std::size_t slice_before_concat(onnx::Graph& graph, const PassOptions& options = {});
std::size_t merge_resizes(onnx::Graph& graph, const PassOptions& options = {});
/// Nothing where weights stay; nor does the next.
std::size_t fold_batch_norm(onnx::Graph& graph, const PassOptions& options = {});
std::size_t share_duplicate_weights(onnx::Graph& graph, const PassOptions& options = {});
std::size_t share_duplicate_nodes(onnx::Graph& graph, const PassOptions& options = {});
std::size_t slices_to_split(onnx::Graph& graph, const PassOptions& options = {});
std::size_t remove_dead_nodes(onnx::Graph& graph, const PassOptions& options = {});

}  // namespace mx2onnx::passes
