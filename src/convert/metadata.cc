#include "convert/metadata.h"

#include "base/json.h"
#include "base/text.h"
#include "convert/json_parts.h"
#include "convert/preprocessing.h"
#include "convert/random_weights.h"
#include "ir/dtype.h"
#include "mxnet/symbol.h"

namespace mx2onnx {
namespace {

JsonValue numbers(const std::vector<double>& values) {
  JsonArray array;
  for (const double value : values) array.push_back({value});
  return {std::move(array)};
}

// All that is needed to do the same in NumPy: `dtype` is the type in which it is computed.
std::string describe(const Preprocessing& preprocessing, const std::string& input, DType dtype) {
  return json_text({JsonObject{{"input", {input}},
                               {"layout", {lower(preprocessing.layout)}},
                               {"scale", {preprocessing.scale}},
                               {"mean", numbers(preprocessing.mean)},
                               {"std", numbers(preprocessing.std)},
                               {"dtype", {std::string(dtype_name(dtype))}}}});
}

}  // namespace

std::vector<std::pair<std::string, std::string>> make_metadata(
    const Model& model, const InferResult& types, const ConvertOptions& options,
    const std::string& source, const std::map<std::string, std::string>& renames) {
  std::vector<std::pair<std::string, std::string>> metadata = {
      {"mxnet_version", mxnet::version_text(model.symbol.mxnet_version)}, {"source", source}};
  if (options.preprocessing) {
    const std::size_t image = find_image_node(*options.preprocessing, model, types);
    metadata.emplace_back("mx2onnx.preprocessing",
                          describe(*options.preprocessing, model.symbol.nodes[image].name,
                                   types.entries[model.first_entry[image]].type.dtype));
  }
  if (!renames.empty()) {
    JsonObject names;
    for (const auto& [from, to] : renames) names.emplace_back(from, JsonValue{to});
    metadata.emplace_back("mx2onnx.renamed", json_text({std::move(names)}));
  }
  if (options.precision != "float32") metadata.emplace_back("mx2onnx.precision", options.precision);
  if (options.weights != "float32") metadata.emplace_back("mx2onnx.weights", options.weights);
  const auto made_up = random_names(model);
  if (!made_up.empty())
    metadata.emplace_back("mx2onnx.random_weights", json_text(json_strings(made_up)));
  return metadata;
}

std::string labels_text(const std::vector<std::string>& labels) {
  JsonArray array;
  for (const auto& label : labels) array.push_back({label});
  return json_text({std::move(array)});
}

}  // namespace mx2onnx
