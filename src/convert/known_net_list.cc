// See mx2onnx/architectures.h.
#include "mx2onnx/architectures.h"

#include <algorithm>

#include "architectures/catalogue.h"
#include "base/json.h"
#include "convert/json_parts.h"

namespace mx2onnx {

std::vector<ArchitectureInfo> known_architectures() {
  std::vector<ArchitectureInfo> result;
  const auto catalogue = architectures::Catalogue::load();
  if (!catalogue) return result;
  for (const auto& net : catalogue->all()) {
    ArchitectureInfo info{net.name, net.task, net.library, net.files, net.inputs, {}, {}};
    if (net.classes) info.classes = catalogue->classes(*net.classes);
    info.preparation = net.preparation;
    result.push_back(std::move(info));
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.task < b.task; });
  return result;
}

std::string architectures_json() {
  JsonArray nets;
  for (const auto& net : known_architectures()) {
    JsonArray files;
    for (const auto& file : net.files) files.push_back({file});
    JsonObject inputs;
    for (const auto& input : net.inputs) {
      inputs.emplace_back(input.name, json_sizes(input.dims.value_or(std::vector<std::string>())));
    }
    nets.push_back({JsonObject{{"name", {net.name}},
                               {"task", {net.task}},
                               {"library", {net.library}},
                               {"files", {std::move(files)}},
                               {"inputs", {std::move(inputs)}},
                               {"classes", {static_cast<std::int64_t>(net.classes.size())}}}});
  }
  return json_text({std::move(nets)});
}

}  // namespace mx2onnx
