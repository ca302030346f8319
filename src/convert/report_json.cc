// Reports and inspections as JSON documents.
#include "base/json.h"
#include "mx2onnx/inspect.h"
#include "mx2onnx/report.h"

namespace mx2onnx {
namespace {

JsonValue number(std::uint64_t value) { return {static_cast<std::int64_t>(value)}; }

JsonValue strings(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const auto& text : texts) array.push_back({text});
  return {std::move(array)};
}

JsonValue ports(const std::vector<PortReport>& list) {
  JsonArray array;
  for (const auto& port : list) {
    array.push_back({JsonObject{
        {"name", {port.name}}, {"dtype", {port.dtype}}, {"shape", strings(port.shape)}}});
  }
  return {std::move(array)};
}

JsonValue diagnostics_value(const std::vector<Diagnostic>& diagnostics) {
  JsonArray result;
  for (const auto& entry : diagnostics) {
    result.push_back(
        {JsonObject{{"id", {entry.id}}, {"node", {entry.node}}, {"message", {entry.message}}}});
  }
  return {std::move(result)};
}

}  // namespace

std::string to_json(const Report& report) {
  JsonArray notes;
  for (const auto& entry : report.notes) {
    notes.push_back({JsonObject{
        {"op", {entry.op}}, {"nodes", number(entry.nodes)}, {"notes", strings(entry.notes)}}});
  }
  JsonObject passes;
  for (const auto& [name, count] : report.passes) passes.emplace_back(name, number(count));
  return json_text({JsonObject{{"inputs", ports(report.inputs)},
                               {"outputs", ports(report.outputs)},
                               {"diagnostics", diagnostics_value(report.diagnostics)},
                               {"notes", {std::move(notes)}},
                               {"opset", {std::int64_t{report.opset}}},
                               {"ir_version", {std::int64_t{report.ir_version}}},
                               {"num_mxnet_nodes", number(report.num_mxnet_nodes)},
                               {"num_onnx_nodes", number(report.num_onnx_nodes)},
                               {"num_parameters", number(report.num_parameters)},
                               {"parameter_bytes", number(report.parameter_bytes)},
                               {"passes", {std::move(passes)}}}});
}

std::string to_json(const Inspection& inspection) {
  JsonArray operators;
  for (const auto& count : inspection.operators) {
    operators.push_back(
        {JsonObject{{"op", {count.op}}, {"nodes", number(count.nodes)}, {"known", {count.known}}}});
  }
  return json_text({JsonObject{{"mxnet_version", {inspection.mxnet_version}},
                               {"np_shape", {inspection.np_shape}},
                               {"operators", {std::move(operators)}},
                               {"inputs", ports(inspection.inputs)},
                               {"outputs", ports(inspection.outputs)},
                               {"labels", strings(inspection.labels)},
                               {"arguments", strings(inspection.arguments)},
                               {"missing_parameters", strings(inspection.missing_parameters)},
                               {"num_parameters", number(inspection.num_parameters)},
                               {"parameter_bytes", number(inspection.parameter_bytes)},
                               {"problems", strings(inspection.problems)},
                               {"diagnostics", diagnostics_value(inspection.diagnostics)}}});
}

}  // namespace mx2onnx
