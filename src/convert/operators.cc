// See mx2onnx/operators.h.
#include "mx2onnx/operators.h"

#include <algorithm>

#include "ops/registry.h"

namespace mx2onnx {

std::vector<OperatorInfo> operators() {
  std::vector<OperatorInfo> result;
  for (const auto& def : Registry::instance().ops()) {
    OperatorInfo info;
    info.name = def.name();
    info.aliases.assign(def.names.begin() + 1, def.names.end());
    info.summary = def.summary;
    info.notes = def.notes;
    std::vector<AttrProblem> ignored;
    const auto params = def.attrs.parse({}, ignored);
    for (const auto& input : def.inputs(params.get())) {
      info.inputs.push_back(def.variadic ? input.name + "…" : input.name);
    }
    for (const auto& field : def.attrs.fields()) {
      info.attributes.push_back({field.name, field.ignored ? "" : field.expected(),
                                 field.required ? "" : field.default_text, field.required, field.ignored,
                                 field.help});
    }
    result.push_back(std::move(info));
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return result;
}

}  // namespace mx2onnx
