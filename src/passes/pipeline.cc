// The passes, in order, and why in this order.
#include <algorithm>

#include "base/error.h"
#include "base/interruption.h"
#include "base/text.h"
#include "passes/pass.h"

namespace mx2onnx::passes {

// Passes find what others leave twice at most in the models that we know; no model makes it last.
constexpr std::size_t kMostRounds = 8;

const std::vector<Pass>& pipeline() {
  static const std::vector<Pass> passes = {
      // First, so that a dropout between a convolution and its normalisation does not hide the
      // pattern.
      {"remove_identities", "drops Identity and inference-time Dropout", remove_identities},
      // Before the patterns that want constant weights.
      {"fold_constants", "computes what depends on constants only", fold_constants},
      {"slice_before_concat", "slices the one part that is wanted of what would be joined first",
       slice_before_concat},
      {"merge_resizes", "makes one Resize of two that repeat pixels", merge_resizes},
      {"merge_reshapes", "makes one Reshape of several in a row, and one Transpose",
       merge_reshapes},
      {"merge_casts", "makes one Cast of two where the first keeps all numbers", merge_casts},
      // Looks for one Reshape, not two.
      {"name_depth_to_space", "makes one DepthToSpace of a pixel shuffle", name_depth_to_space},
      {"merge_bounds", "makes one Clip of Max and Min with numbers", merge_bounds},
      // Looks for Clip.
      {"name_hard_activations", "makes HardSigmoid and HardSwish of what computes them",
       name_hard_activations},
      {"fold_batch_norm", "folds BatchNormalization into the Conv, ConvTranspose or Gemm before it",
       fold_batch_norm},
      {"share_duplicate_weights", "stores equal weights once", share_duplicate_weights},
      // Nodes that are equal have the same weights, not equal ones.
      {"share_duplicate_nodes", "computes once what several nodes compute alike",
       share_duplicate_nodes},
      // Slices of what was computed twice are siblings now.
      {"slices_to_split", "makes one Split of Slices that cut a value up", slices_to_split},
      // Last: sweeps up what the others left without a use.
      {"remove_dead_nodes", "drops nodes that no output needs", remove_dead_nodes},
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
    onnx::Graph& graph, const std::vector<std::string>& disabled, const PassOptions& options,
    const std::function<void(std::string_view pass)>& after) {
  std::vector<const Pass*> enabled;
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const auto& pass : pipeline()) {
    if (std::find(disabled.begin(), disabled.end(), pass.name) != disabled.end()) continue;
    enabled.push_back(&pass);
    counts.emplace_back(pass.name, 0);
  }
  // A pass has nothing to find where nothing has changed since it ran last.
  std::size_t idle = 0;
  for (std::size_t run = 0; run < kMostRounds * enabled.size() && idle < enabled.size(); ++run) {
    interruption_point();
    const std::size_t at = run % enabled.size();
    const std::size_t changes = enabled[at]->run(graph, options);
    counts[at].second += changes;
    idle = changes == 0 ? idle + 1 : 1;
    if (after && changes > 0) after(enabled[at]->name);
  }
  return counts;
}

}  // namespace mx2onnx::passes
