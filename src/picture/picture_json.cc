// A picture as a JSON document.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "convert/json_parts.h"
#include "mx2onnx/picture.h"
#include "ops/record/registry.h"
#include "ops/record/untranslated.h"
#include "picture/document.h"

namespace mx2onnx::picture {
namespace {

JsonValue maybe(const std::optional<std::uint64_t>& number) {
  return number ? json_number(*number) : JsonValue{nullptr};
}

JsonValue numbers(const std::vector<std::int64_t>& list) {
  JsonArray array;
  for (const auto number : list) array.push_back({number});
  return {std::move(array)};
}

// JSON has no infinity.
JsonValue real(double number) {
  return std::isfinite(number) ? JsonValue{number} : JsonValue{fmt::format("{}", number)};
}

JsonValue describe(const ArrayStatistics& statistics) {
  JsonArray histogram;
  for (const auto count : statistics.histogram) histogram.push_back(json_number(count));
  return {JsonObject{{"looked_at", json_number(statistics.looked_at)},
                     {"zeros", json_number(statistics.zeros)},
                     {"not_finite", json_number(statistics.not_finite)},
                     {"minimum", real(statistics.minimum)},
                     {"maximum", real(statistics.maximum)},
                     {"mean", real(statistics.mean)},
                     {"deviation", real(statistics.deviation)},
                     {"histogram", {std::move(histogram)}}}};
}

// What there is nothing to say of is left out: large models have many values.
JsonValue describe(const PictureValue& value) {
  constexpr const char* kKinds[] = {"inner", "input", "parameter", "constant"};
  JsonObject object{{"name", {value.name}},
                    {"kind", {std::string(kKinds[static_cast<std::size_t>(value.kind)])}},
                    {"dtype", {value.dtype}},
                    {"shape", json_sizes(value.shape)}};
  if (value.bytes) object.emplace_back("bytes", json_number(*value.bytes));
  if (value.statistics) object.emplace_back("statistics", describe(*value.statistics));
  if (!value.numbers.empty()) {
    JsonArray array;
    for (const double number : value.numbers) array.push_back(real(number));
    object.emplace_back("numbers", JsonValue{std::move(array)});
  }
  return {std::move(object)};
}

JsonValue describe(const PassEvent& event) {
  return {JsonObject{{"pass", {event.pass}}, {"what", {event.what}}, {"node", {event.node}}}};
}

JsonValue describe(const PictureNode& node) {
  JsonObject attributes;
  for (const auto& [name, value] : node.attributes) attributes.emplace_back(name, JsonValue{value});
  JsonObject object{{"name", {node.name}},
                    {"op", {node.op}},
                    {"block", json_strings(node.block)},
                    {"inputs", numbers(node.inputs)},
                    {"outputs", numbers(node.outputs)},
                    {"attributes", {std::move(attributes)}},
                    {"parameters", maybe(node.parameters)},
                    {"parameter_bytes", maybe(node.parameter_bytes)},
                    {"multiply_adds", maybe(node.multiply_adds)},
                    {"counterparts", numbers(node.counterparts)}};
  if (!node.domain.empty()) object.emplace_back("domain", JsonValue{node.domain});
  if (!node.problems.empty()) object.emplace_back("problems", json_strings(node.problems));
  if (!node.warnings.empty()) object.emplace_back("warnings", json_strings(node.warnings));
  JsonArray passes;
  for (const auto& event : node.passes) passes.push_back(describe(event));
  if (!passes.empty()) object.emplace_back("passes", JsonValue{std::move(passes)});
  return {std::move(object)};
}

JsonValue describe(const PictureGraph& graph);

template <typename T>
JsonValue list(const std::vector<T>& entries) {
  JsonArray array;
  for (const auto& entry : entries) array.push_back(describe(entry));
  return {std::move(array)};
}

JsonValue describe(const PictureGraph& graph) {
  return {JsonObject{{"side", {graph.side}},
                     {"nodes", list(graph.nodes)},
                     {"values", list(graph.values)},
                     {"inputs", numbers(graph.inputs)},
                     {"outputs", numbers(graph.outputs)}}};
}

JsonValue document_operator(const OpDef& def) {
  JsonArray attributes;
  for (const auto& field : def.attrs.fields()) {
    attributes.push_back(
        {JsonObject{{"name", {field.name}},
                    {"expected", {field.ignored ? std::string() : field.expected()}},
                    {"default", {field.required ? std::string() : field.default_text}},
                    {"help", {field.help}}}});
  }
  return {JsonObject{{"name", {def.name()}},
                     {"summary", {def.summary}},
                     {"attributes", {std::move(attributes)}},
                     {"notes", json_strings(def.notes)}}};
}

// Of the operators that are in MXNet's graph.
JsonValue documentation(const Picture& picture) {
  std::map<std::string, JsonValue> documents;
  for (const auto& graph : picture.graphs) {
    if (graph.side != "mxnet") continue;
    for (const auto& node : graph.nodes) {
      if (documents.contains(node.op)) continue;
      if (const OpDef* def = Registry::instance().find(node.op)) {
        documents.emplace(node.op, document_operator(*def));
      } else if (const auto why = find_untranslated(node.op)) {
        documents.emplace(node.op, JsonValue{JsonObject{
                                       {"name", {node.op}},
                                       {"summary", {fmt::format("'{}' {}", node.op, why->reason)}},
                                       {"attributes", {JsonArray{}}},
                                       {"notes", {JsonArray{}}}}});
      }
    }
  }
  JsonObject object;
  for (auto& [op, document] : documents) object.emplace_back(op, std::move(document));
  return {std::move(object)};
}

}  // namespace

JsonValue document(const Picture& picture) {
  JsonValue result = inspection_json(picture.inspection);
  auto& object = std::get<JsonObject>(result.value);
  object.emplace_back("name", JsonValue{picture.name});
  object.emplace_back("graphs", list(picture.graphs));
  object.emplace_back("documentation", documentation(picture));
  return result;
}

}  // namespace mx2onnx::picture

namespace mx2onnx {

std::string to_json(const Picture& picture) { return json_text(picture::document(picture)); }

}  // namespace mx2onnx
