#include "ops/expressions/numbered.h"
#include "base/budget.h"

#include <fmt/format.h>

namespace mx2onnx {

std::vector<std::string> numbered(std::string_view name, std::int64_t count) {
  spend_elements(count);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", name, i));
  return names;
}

std::vector<InputDef> numbered_inputs(std::string_view name, std::int64_t count) {
  std::vector<InputDef> inputs;
  for (auto& input : numbered(name, count)) inputs.push_back({input, InputRole::kData});
  return inputs;
}

}  // namespace mx2onnx
