// The passes, in order, and why in this order.
#include <algorithm>

#include "base/error.h"
#include "base/interruption.h"
#include "base/text.h"
#include "passes/pass.h"

namespace mx2onnx::passes {

const std::vector<Pass>& pipeline() {
  static const std::vector<Pass> passes = {
      // First, so that a dropout between a convolution and its normalisation does not hide the
      // pattern.
      {"remove_identities", "drops Identity and inference-time Dropout", remove_identities,
       remove_identities},
      // Before the patterns that want constant weights.
      {"fold_constants", "computes what depends on constants only", fold_constants,
       fold_small_constants},
      {"slice_before_concat", "slices the one part that is wanted of what would be joined first",
       slice_before_concat, slice_before_concat},
      {"merge_resizes", "makes one Resize of two that repeat pixels", merge_resizes, merge_resizes},
      {"fold_batch_norm", "folds BatchNormalization into the Conv, ConvTranspose or Gemm before it",
       fold_batch_norm, nullptr},
      {"share_duplicate_weights", "stores equal weights once", share_duplicate_weights, nullptr},
      // Last: sweeps up what the others left without a use.
      {"remove_dead_nodes", "drops nodes that no output needs", remove_dead_nodes,
       remove_dead_nodes},
  };
  return passes;
}

void check_names(const std::vector<std::string>& disabled) {
  std::vector<std::string> known;
  for (const auto& pass : pipeline()) known.emplace_back(pass.name);
  for (const auto& name : disabled) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fail(ErrorCode::kUsage, fmt::format("there is no pass {}", in_quotes(name)),
           "the passes are " + join_alternatives(known));
    }
  }
}

std::vector<std::pair<std::string, std::size_t>> run_pipeline(
    onnx::Graph& graph, const std::vector<std::string>& disabled, bool weights_stay,
    const std::function<void(std::string_view pass)>& after) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const auto& pass : pipeline()) {
    if (std::find(disabled.begin(), disabled.end(), pass.name) != disabled.end()) continue;
    const auto run = weights_stay ? pass.run_beside_weights : pass.run;
    if (run == nullptr) continue;
    interruption_point();
    counts.emplace_back(pass.name, run(graph));
    if (after && counts.back().second > 0) after(pass.name);
  }
  return counts;
}

}  // namespace mx2onnx::passes
