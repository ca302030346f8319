#include "convert/known_net.h"

#include <algorithm>
#include <map>
#include <set>

#include "architectures/catalogue.h"
#include "architectures/recognise.h"
#include "architectures/scale.h"
#include "base/attempt.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "mxnet/symbol_json.h"

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

architectures::Shapes shapes_of(const mxnet::ParameterSet& params) {
  architectures::Shapes shapes;
  for (const auto& name : params.names()) shapes.emplace(name, params.find(name)->dims);
  return shapes;
}

// The arrays by the names of the graph's variables.
mxnet::ParameterSet bound(const mxnet::ParameterSet& params,
                          const std::map<std::string, std::string>& names,
                          const std::string& file) {
  std::vector<mxnet::StoredArray> arrays;
  for (const auto& [variable, name] : names) arrays.push_back({variable, *params.find(name)});
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

std::string shown_alike(const std::vector<std::string>& names) {
  return names.empty() ? "" : fmt::format(" (or {})", join_alternatives(names));
}

// Of an input specification (N, C, H, W) whose last two are numbers.
std::optional<architectures::PictureSize> picture_size(const InputSpec& spec) {
  if (!spec.dims || spec.dims->size() != 4) return std::nullopt;
  const auto height = parse_int((*spec.dims)[2]);
  const auto width = parse_int((*spec.dims)[3]);
  if (!height || !width || *height < 1 || *width < 1) return std::nullopt;
  return architectures::PictureSize{*height, *width};
}

// The graphs of segmentation nets have the picture's size in them.
void scale_to_input(const Architecture& net, const ConvertOptions& options, mxnet::Symbol& symbol) {
  if (net.task != "segmentation" || net.inputs.size() != 1) return;
  for (const auto& spec : options.inputs) {
    if (spec.name != net.inputs[0].name) continue;
    const auto traced = picture_size(net.inputs[0]);
    const auto wanted = picture_size(spec);
    if (!traced || !wanted) continue;
    if (const auto node = scale_sizes(symbol, *traced, *wanted)) {
      fail(ErrorCode::kUsage,
           fmt::format("'{}' cannot take pictures of {} x {}: '{}' would make a size that is not "
                       "whole",
                       net.name, wanted->height, wanted->width, *node),
           "multiples of 32 will do");
    }
  }
}

using Names = std::set<std::string, std::less<>>;

// The symbol's names of a net's parameters: the net's own behind any prefix, as Gluon counts nets.
// Empty if there is no such prefix.
std::map<std::string, std::string> names_in_symbol(const Catalogue& catalogue,
                                                   const Recognised& recognised,
                                                   const Names& variables) {
  const auto layout = catalogue.layout(recognised.net->layout);
  for (const auto& first : variables) {
    if (layout.empty() || !first.ends_with(layout[0].name)) continue;
    const std::string prefix = first.substr(0, first.size() - layout[0].name.size());
    std::map<std::string, std::string> names;
    for (const auto& parameter : layout) {
      if (!parameter.same_as && variables.contains(prefix + parameter.name))
        names.emplace(prefix + parameter.name, recognised.arrays.at(parameter.key));
    }
    if (names.size() == recognised.arrays.size()) return names;
  }
  return {};
}

// Parameters of `save_parameters` beside a symbol, which has other names for them. Order and shapes
// do not tell which is which where two layers are alike; the names of known nets do. Other nets are
// left to convert/match_blocks.
bool bind_structural(source::FoundModel& found, mxnet::ParameterSet& params,
                     const std::string& wanted) {
  const auto keys = params.names();
  const auto is_structural = [](const std::string& key) {
    return key.find('.') != std::string::npos;
  };
  if (std::none_of(keys.begin(), keys.end(), is_structural)) return false;
  Names variables;
  for (const auto& node : mxnet::parse_symbol(found.symbol_text.view()).nodes) {
    if (node.is_variable()) variables.insert(node.name);
  }
  if (std::any_of(keys.begin(), keys.end(),
                  [&](const std::string& key) { return variables.contains(key); })) {
    return false;
  }
  const std::string file = found.params.empty() ? "the given arrays" : found.params[0].name;
  std::map<std::string, std::string> names;
  if (const auto catalogue = Catalogue::load()) {
    attempt([&] {
      const Recognised recognised = recognise(*catalogue, shapes_of(params), file, wanted);
      names = names_in_symbol(*catalogue, recognised, variables);
    });
  }
  if (names.empty()) return false;
  params = bound(params, names, file);
  found.notes.push_back(
      {"W-parameters-renamed", "",
       fmt::format("'{}' has the names of save_parameters: taken for the symbol's by those of the "
                   "net that it is of",
                   file)});
  return true;
}

}  // namespace

void recognise_net(source::FoundModel& found, mxnet::ParameterSet& params,
                   const ConvertOptions& options) {
  const ErrorScope scope = ErrorScope::file(found.symbol_name);
  if (!found.is_alone) {
    if (!bind_structural(found, params, options.architecture) || options.prepare)
      check_alone(options);
    return;
  }
  const Catalogue catalogue = load_catalogue();
  Recognised recognised =
      recognise(catalogue, shapes_of(params), found.symbol_name, options.architecture);
  const Architecture& net = *recognised.net;
  params = bound(params, recognised.arrays, found.symbol_name);
  scale_to_input(net, options, recognised.symbol);
  found.symbol = std::move(recognised.symbol);
  found.inputs = net.inputs;
  // The classes of somebody's own are not known, nor whose of two sets they are.
  if (net.classes && recognised.is_own && recognised.alike.empty())
    found.labels = catalogue.classes(*net.classes);
  found.metadata.emplace_back("mx2onnx.architecture", describe(recognised));
  found.notes.push_back({"W-net-recognised", "",
                         fmt::format("'{}' are the parameters of {}{}", found.symbol_name, net.name,
                                     shown_alike(recognised.alike))});
  found.preparation = net.preparation;
  if (options.prepare && !net.preparation) {
    fail(ErrorCode::kUsage,
         fmt::format("prepare: how the input of '{}' is prepared is not known", net.name));
  }
}

}  // namespace mx2onnx
