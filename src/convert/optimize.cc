#include "convert/optimize.h"

#include <functional>
#include <string_view>

#include "convert/precision.h"
#include "convert/stored_weights.h"
#include "convert/targets.h"
#include "convert/trace.h"
#include "passes/pass.h"

namespace mx2onnx {

void optimize(Conversion& result, const ConvertOptions& options) {
  std::function<void(std::string_view)> after;
  if (result.trace != nullptr)
    after = [&](std::string_view pass) { result.trace->after_pass(pass, result.graph); };
  if (options.optimize) {
    result.report.passes = passes::run_pipeline(result.graph, options.disabled_passes,
                                                {options.opset, options.weights_in_place}, after);
  } else {
    // What a translation has seen through (the joined weights of an RNN) would be written twice.
    passes::remove_dead_nodes(result.graph);
    if (after) after("remove_dead_nodes");
  }
  for (auto& entry : spell_for_targets(result.graph, options))
    result.report.passes.push_back(std::move(entry));
  result.half = apply_precision(result.graph, options);
  if (after && options.precision != "float32") after(options.precision);
  result.weights = apply_stored_weights(result.graph, options);
  if (after && options.weights != "float32") after(options.weights);
  passes::keep_draws_apart(result.graph);
}

}  // namespace mx2onnx
