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

namespace mx2onnx::passes {

struct Pass {
  std::string_view name;
  std::string_view summary;
  /// Changes the graph and returns how many changes it made.
  std::size_t (*run)(onnx::Graph& graph);
  /// The same where weights stay in their files, so that other ones are no gain; null if then
  /// there is nothing for it to do.
  std::size_t (*run_beside_weights)(onnx::Graph& graph);
};

/// All passes, in the order in which they run.
const std::vector<Pass>& pipeline();

/// Fails with kUsage if a name is that of no pass.
void check_names(const std::vector<std::string>& disabled);

/// Runs the pipeline without the disabled passes; the counts of changes by pass. Calls `after` with
/// the name of each that has changed something.
std::vector<std::pair<std::string, std::size_t>> run_pipeline(
    onnx::Graph& graph, const std::vector<std::string>& disabled, bool weights_stay = false,
    const std::function<void(std::string_view pass)>& after = {});

std::size_t remove_identities(onnx::Graph& graph);
std::size_t fold_constants(onnx::Graph& graph);
/// Only what gives up to 1 KiB.
std::size_t fold_small_constants(onnx::Graph& graph);
std::size_t slice_before_concat(onnx::Graph& graph);
std::size_t merge_resizes(onnx::Graph& graph);
std::size_t fold_batch_norm(onnx::Graph& graph);
std::size_t share_duplicate_weights(onnx::Graph& graph);
std::size_t remove_dead_nodes(onnx::Graph& graph);

}  // namespace mx2onnx::passes
