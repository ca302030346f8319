#include "convert/metadata.h"

#include "base/json.h"
#include "base/text.h"
#include "convert/preprocessing.h"
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
  return metadata;
}

}  // namespace mx2onnx
