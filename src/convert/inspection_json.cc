// An inspection as a JSON document.
#include "convert/json_parts.h"
#include "mx2onnx/inspect.h"

namespace mx2onnx {
namespace {

const char* kind_name(FileKind kind) {
  switch (kind) {
    case FileKind::kSymbol:
      return "symbol";
    case FileKind::kParameters:
      return "parameters";
    default:
      return "onnx";
  }
}

JsonValue maybe(const std::optional<std::uint64_t>& number) {
  return number ? json_number(*number) : JsonValue{nullptr};
}

JsonValue describe(const LayerInfo& layer) {
  return {JsonObject{{"name", {layer.name}},
                     {"op", {layer.op}},
                     {"dtype", {layer.dtype}},
                     {"shape", json_sizes(layer.shape)},
                     {"parameters", maybe(layer.parameters)},
                     {"parameter_bytes", maybe(layer.parameter_bytes)},
                     {"multiply_adds", maybe(layer.multiply_adds)}}};
}

JsonValue describe(const ArrayInfo& array) {
  JsonArray shape;
  for (const auto size : array.shape) shape.push_back({size});
  return {JsonObject{{"name", {array.name}},
                     {"dtype", {array.dtype}},
                     {"shape", {std::move(shape)}},
                     {"bytes", json_number(array.bytes)}}};
}

JsonValue describe(const OperatorCount& count) {
  return {JsonObject{
      {"op", {count.op}}, {"nodes", json_number(count.nodes)}, {"known", {count.known}}}};
}

template <typename T>
JsonValue list(const std::vector<T>& entries) {
  JsonArray array;
  for (const auto& entry : entries) array.push_back(describe(entry));
  return {std::move(array)};
}

}  // namespace

std::string to_json(const Inspection& inspection) { return json_text(inspection_json(inspection)); }

JsonValue inspection_json(const Inspection& inspection) {
  JsonObject opsets;
  for (const auto& [domain, version] : inspection.opsets)
    opsets.emplace_back(domain, JsonValue{version});
  JsonObject metadata;
  for (const auto& [key, value] : inspection.metadata) metadata.emplace_back(key, JsonValue{value});
  const JsonValue failure = inspection.failure
                                ? JsonValue{static_cast<std::int64_t>(*inspection.failure)}
                                : JsonValue{nullptr};
  return {JsonObject{{"kind", {std::string(kind_name(inspection.kind))}},
                     {"mxnet_version", {inspection.mxnet_version}},
                     {"np_shape", {inspection.np_shape}},
                     {"operators", list(inspection.operators)},
                     {"inputs", json_ports(inspection.inputs)},
                     {"outputs", json_ports(inspection.outputs)},
                     {"layers", list(inspection.layers)},
                     {"counted_as_one", json_strings(inspection.counted_as_one)},
                     {"arrays", list(inspection.arrays)},
                     {"arguments", json_strings(inspection.arguments)},
                     {"labels", json_strings(inspection.labels)},
                     {"missing_parameters", json_strings(inspection.missing_parameters)},
                     {"num_parameters", json_number(inspection.num_parameters)},
                     {"parameter_count", json_number(inspection.parameter_count)},
                     {"parameter_bytes", json_number(inspection.parameter_bytes)},
                     {"opset", {std::int64_t{inspection.opset}}},
                     {"converts", {inspection.converts}},
                     {"failure", failure},
                     {"problems", json_strings(inspection.problems)},
                     {"hints", json_strings(inspection.hints)},
                     {"diagnostics", json_diagnostics(inspection.diagnostics)},
                     {"opsets", {std::move(opsets)}},
                     {"metadata", {std::move(metadata)}},
                     {"producer", {inspection.producer}},
                     {"ir_version", {inspection.ir_version}}}};
}

}  // namespace mx2onnx
