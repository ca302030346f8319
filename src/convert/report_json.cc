// See json_parts.h and mx2onnx/report.h.
#include "convert/json_parts.h"
#include "mx2onnx/report.h"

namespace mx2onnx {

JsonValue json_number(std::uint64_t value) { return {static_cast<std::int64_t>(value)}; }

JsonValue json_strings(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const auto& text : texts) array.push_back({text});
  return {std::move(array)};
}

JsonValue json_sizes(const std::vector<std::string>& sizes) {
  JsonArray array;
  for (const auto& size : sizes) {
    const auto number = parse_int(size);
    array.push_back(number ? JsonValue{*number} : JsonValue{size});
  }
  return {std::move(array)};
}

JsonValue json_ports(const std::vector<PortReport>& list) {
  JsonArray array;
  for (const auto& port : list) {
    array.push_back({JsonObject{
        {"name", {port.name}}, {"dtype", {port.dtype}}, {"shape", json_sizes(port.shape)}}});
  }
  return {std::move(array)};
}

JsonValue json_diagnostics(const std::vector<Diagnostic>& list) {
  JsonArray array;
  for (const auto& entry : list) {
    array.push_back(
        {JsonObject{{"id", {entry.id}}, {"node", {entry.node}}, {"message", {entry.message}}}});
  }
  return {std::move(array)};
}

namespace {

JsonValue json_precision(const PrecisionReport& precision) {
  if (precision.dtype.empty()) return {};
  JsonArray kept;
  for (const auto& entry : precision.kept) {
    kept.push_back({JsonObject{
        {"op", {entry.op}}, {"reason", {entry.reason}}, {"nodes", json_number(entry.nodes)}}});
  }
  return {JsonObject{{"dtype", {precision.dtype}},
                     {"count", json_number(precision.count)},
                     {"kept", {std::move(kept)}},
                     {"clamped", json_number(precision.clamped)},
                     {"subnormal", json_number(precision.subnormal)}}};
}

JsonValue json_weights(const WeightsReport& weights) {
  if (weights.dtype.empty()) return {};
  JsonArray left;
  for (const auto& entry : weights.left) {
    left.push_back({JsonObject{{"op", {entry.op}},
                               {"reason", {entry.reason}},
                               {"weights", json_number(entry.weights)},
                               {"bytes", json_number(entry.bytes)}}});
  }
  return {JsonObject{{"dtype", {weights.dtype}},
                     {"block", {weights.block}},
                     {"count", json_number(weights.count)},
                     {"bytes_before", json_number(weights.bytes_before)},
                     {"bytes_after", json_number(weights.bytes_after)},
                     {"difference", JsonValue{weights.difference}},
                     {"largest_difference", JsonValue{weights.largest_difference}},
                     {"largest_difference_of", {weights.largest_difference_of}},
                     {"not_finite", json_number(weights.not_finite)},
                     {"left", {std::move(left)}}}};
}

}  // namespace

std::string to_json(const Report& report) {
  JsonArray notes;
  for (const auto& entry : report.notes) {
    notes.push_back({JsonObject{{"op", {entry.op}},
                                {"nodes", json_number(entry.nodes)},
                                {"notes", json_strings(entry.notes)}}});
  }
  JsonObject passes;
  for (const auto& [name, count] : report.passes) passes.emplace_back(name, json_number(count));
  JsonObject seconds;
  for (const auto& [phase, time] : report.seconds) seconds.emplace_back(phase, JsonValue{time});
  return json_text({JsonObject{
      {"version", {report.version}},
      {"symbol_file", report.symbol_file.empty() ? JsonValue{} : JsonValue{report.symbol_file}},
      {"output", report.output.empty() ? JsonValue{} : JsonValue{report.output}},
      {"weights_in_place", json_strings(report.weights_in_place)},
      {"output_data", report.output_data.empty() ? JsonValue{} : JsonValue{report.output_data}},
      {"output_bytes", json_number(report.output_bytes)},
      {"seconds", {std::move(seconds)}},
      {"inputs", json_ports(report.inputs)},
      {"outputs", json_ports(report.outputs)},
      {"diagnostics", json_diagnostics(report.diagnostics)},
      {"notes", {std::move(notes)}},
      {"opset", {std::int64_t{report.opset}}},
      {"ir_version", {std::int64_t{report.ir_version}}},
      {"num_mxnet_nodes", json_number(report.num_mxnet_nodes)},
      {"num_onnx_nodes", json_number(report.num_onnx_nodes)},
      {"num_parameters", json_number(report.num_parameters)},
      {"parameter_bytes", json_number(report.parameter_bytes)},
      {"passes", {std::move(passes)}},
      {"precision", json_precision(report.precision)},
      {"weights", json_weights(report.weights)}}});
}

}  // namespace mx2onnx
