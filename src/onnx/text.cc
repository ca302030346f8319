#include "onnx/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mx2onnx::onnx {
namespace {

std::string attr_text(const AttrValue& value, const char* comma) {
  struct Visitor {
    const char* comma;
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(float value) const { return fmt::format("{:g}", value); }
    std::string operator()(const std::string& value) const { return value; }
    std::string operator()(const std::vector<std::int64_t>& values) const {
      return fmt::format("[{}]", fmt::join(values, comma));
    }
    std::string operator()(const std::vector<float>& values) const {
      return fmt::format("[{}]", fmt::join(values, comma));
    }
    std::string operator()(const std::vector<std::string>& values) const {
      return fmt::format("[{}]", fmt::join(values, comma));
    }
    std::string operator()(const Tensor& value) const { return value.type().to_string(); }
    std::string operator()(const std::shared_ptr<Body>& value) const {
      return fmt::format("<{} nodes>", value->nodes.size());
    }
  };
  return std::visit(Visitor{comma}, value);
}

std::string value_list(const Graph& graph, const std::vector<Value>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += ", ";
    text += values[i].present() ? graph.name_of(values[i]) : "-";
  }
  return text;
}

}  // namespace

std::string to_text(const AttrValue& value) { return attr_text(value, ", "); }

std::string to_text(const Graph& graph) {
  std::string text;
  for (const Value input : graph.main.inputs) {
    text += fmt::format("{}: {}\n", graph.name_of(input), graph.type(input).to_string());
  }
  for (const auto& node : graph.main.nodes) {
    text += fmt::format("{} = {}({})", value_list(graph, node.outputs), node.op_type,
                        value_list(graph, node.inputs));
    for (const auto& attr : node.attrs) text += " " + attr.name + "=" + attr_text(attr.value, ",");
    text += "\n";
  }
  for (const Value output : graph.main.outputs) {
    text += fmt::format("-> {}: {}\n", graph.name_of(output), graph.type(output).to_string());
  }
  return text;
}

}  // namespace mx2onnx::onnx
