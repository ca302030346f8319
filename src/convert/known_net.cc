#include "convert/known_net.h"

#include <algorithm>

#include "architectures/catalogue.h"
#include "architectures/recognise.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "mx2onnx/architectures.h"

namespace mx2onnx {
namespace {

using architectures::Architecture;
using architectures::Catalogue;
using architectures::Recognised;

void check_alone(const ConvertOptions& options) {
  if (options.architecture.empty() && !options.prepare) return;
  fail(ErrorCode::kUsage,
       fmt::format("{}: this is for parameters without a symbol, and there is one",
                   options.prepare ? "prepare" : "architecture"),
       options.prepare ? "--mean, --std, --scale, --layout and --input-type say it by hand" : "");
}

Catalogue load_catalogue() {
  auto catalogue = Catalogue::load();
  if (!catalogue) {
    fail(
        ErrorCode::kModel, "this is a parameter file, and there is no symbol beside it",
        "this build of mx2onnx does not carry the nets of GluonCV, Gluon and GluonNLP; the network "
        "itself is in a *-symbol.json: HybridBlock.export writes both files");
  }
  return std::move(*catalogue);
}

// The arrays by the names of the graph's variables.
mxnet::ParameterSet bound(const mxnet::ParameterSet& params, const Recognised& net,
                          const std::string& file) {
  std::vector<mxnet::StoredArray> arrays;
  for (const auto& [variable, name] : net.arrays) arrays.push_back({variable, *params.find(name)});
  mxnet::ParameterSet result;
  result.add(std::move(arrays), file);
  return result;
}

JsonValue numbers(const std::vector<double>& values) {
  JsonArray array;
  for (const double value : values) array.push_back({value});
  return {std::move(array)};
}

std::string describe(const Recognised& recognised) {
  const Architecture& net = *recognised.net;
  JsonObject text = {{"name", {net.name}}, {"library", {net.library}}, {"task", {net.task}}};
  if (net.preparation && recognised.alike.empty()) {
    text.emplace_back("preparation", JsonValue{JsonObject{{"scale", {net.preparation->scale}},
                                                          {"mean", numbers(net.preparation->mean)},
                                                          {"std", numbers(net.preparation->std)}}});
  }
  return json_text({std::move(text)});
}

// What the user says counts.
Preprocessing merged(const Preprocessing& known, const Preprocessing& said) {
  Preprocessing result = said;
  if (result.mean.empty()) result.mean = known.mean;
  if (result.std.empty()) result.std = known.std;
  if (result.scale.empty()) result.scale = known.scale;
  if (result.layout.empty()) result.layout = known.layout;
  if (result.dtype.empty()) result.dtype = known.dtype;
  return result;
}

std::string shown_alike(const std::vector<std::string>& names) {
  return names.empty() ? "" : fmt::format(" (or {})", join_alternatives(names));
}

}  // namespace

void recognise_net(source::FoundModel& found, mxnet::ParameterSet& params,
                   ConvertOptions& options) {
  const ErrorScope scope = ErrorScope::file(found.symbol_name);
  if (!found.is_alone) return check_alone(options);
  const Catalogue catalogue = load_catalogue();
  architectures::Shapes shapes;
  for (const auto& name : params.names()) shapes.emplace(name, params.find(name)->dims);
  Recognised recognised = recognise(catalogue, shapes, found.symbol_name, options.architecture);
  const Architecture& net = *recognised.net;
  params = bound(params, recognised, found.symbol_name);
  found.symbol = std::move(recognised.symbol);
  found.inputs = net.inputs;
  // The classes of somebody's own are not known, nor whose of two sets they are.
  if (net.classes && recognised.is_own && recognised.alike.empty())
    found.labels = catalogue.classes(*net.classes);
  found.metadata.emplace_back("mx2onnx.architecture", describe(recognised));
  found.notes.push_back({"W-net-recognised", "",
                         fmt::format("'{}' are the parameters of {}{}", found.symbol_name, net.name,
                                     shown_alike(recognised.alike))});
  if (!options.prepare) return;
  if (!net.preparation) {
    fail(ErrorCode::kUsage,
         fmt::format("prepare: how the input of '{}' is prepared is not known", net.name));
  }
  options.preprocessing = merged(*net.preparation, options.preprocessing.value_or(Preprocessing{}));
}

std::vector<ArchitectureInfo> known_architectures() {
  std::vector<ArchitectureInfo> result;
  const auto catalogue = Catalogue::load();
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
      JsonArray dims;
      for (const auto& dim : input.dims.value_or(std::vector<std::string>())) dims.push_back({dim});
      inputs.emplace_back(input.name, JsonValue{std::move(dims)});
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
