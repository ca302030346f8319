// Numbers that no model has: in each operator's attributes, one after the other, in small nodes
// that are right otherwise. Each gives an error in the user's words or a model, and `make sanitize`
// looks at the arithmetic on the way. That runtimes load these models is asked by
// test_huge_attributes.py.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "convert/conversion.h"
#include "mx2onnx/convert.h"
#include "onnx/writer.h"
#include "ops/record/registry.h"

namespace mx2onnx {
namespace {

constexpr const char* kWhole[] = {
    "2147483647",          "2147483648",          "-2147483648",
    "4294967296",          "1000000000000000000", "2305843009213693952",
    "4611686018427387904", "9223372036854775807", "-9223372036854775808",
};
constexpr const char* kReal[] = {"1e18", "-1e18", "9.3e18", "1e308", "-1e308"};

struct Node {
  std::string op;
  std::map<std::string, std::string> attrs;
  std::string shapes;  // "2,3,4;3"
  bool np_shape = false;
};

// The nodes of which MXNet's inference was recorded: all operators with their usual attributes.
std::vector<Node> read_nodes() {
  std::ifstream file(std::string(MX2ONNX_TESTS_DIR) + "/data/inference-mxnet-1.9.1.txt");
  std::vector<Node> nodes;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("shapes ")) {
      const auto arrow = line.find('>');
      nodes.back().shapes = trim(std::string_view(line).substr(7, arrow - 7));
    }
    if (!line.starts_with("node ")) continue;
    Node& node = nodes.emplace_back();
    node.np_shape = line.ends_with(" np");
    if (node.np_shape) line.resize(line.size() - 3);
    const auto space = line.find(' ', 5);
    node.op = line.substr(5, space - 5);
    const std::string json = line.substr(space);
    const JsonValue object = parse_json(json);
    for (const auto& [key, value] : *object.as_object()) node.attrs[key] = *value.as_string();
  }
  return nodes;
}

std::string symbol_of(const Node& node, std::size_t num_inputs) {
  JsonArray nodes;
  JsonArray variables;
  JsonArray inputs;
  const auto number = [](std::size_t i) { return JsonValue{static_cast<std::int64_t>(i)}; };
  for (std::size_t i = 0; i < num_inputs; ++i) {
    nodes.push_back({JsonObject{{"op", {std::string("null")}},
                                {"name", {"x" + std::to_string(i)}},
                                {"inputs", {JsonArray{}}}}});
    variables.push_back(number(i));
    inputs.push_back({JsonArray{number(i), number(0), number(0)}});
  }
  JsonObject attrs;
  for (const auto& [key, value] : node.attrs) attrs.emplace_back(key, JsonValue{value});
  nodes.push_back({JsonObject{
      {"op", {node.op}}, {"name", {std::string("op")}}, {"attrs", {attrs}}, {"inputs", {inputs}}}});
  const JsonValue np{JsonArray{{std::string("int")}, number(node.np_shape ? 1 : 0)}};
  const JsonValue version{JsonArray{{std::string("int")}, number(10901)}};
  return json_text(
      {JsonObject{{"nodes", {nodes}},
                  {"arg_nodes", {variables}},
                  {"heads", {JsonArray{{JsonArray{number(num_inputs), number(0), number(0)}}}}},
                  {"attrs", {JsonObject{{"mxnet_version", version}, {"is_np_shape", np}}}}}});
}

// What the conversion fails with, if it is no answer to a user: "" if all is well.
std::string fault_of(const Node& node) {
  ConvertOptions options;
  options.random_weights = true;
  std::size_t count = 0;
  for (const auto shape : split(node.shapes, ';')) {
    InputSpec spec{"x" + std::to_string(count++), std::vector<std::string>(), ""};
    if (shape != "()") {
      for (const auto size : split(shape, ',')) {
        if (!size.empty()) spec.dims->emplace_back(size);
      }
    }
    options.inputs.push_back(std::move(spec));
  }
  Source source{.symbol_path = "huge", .symbol_json = symbol_of(node, count)};
  source.unpack_limit = std::uint64_t{1} << 20;
  try {
    const Conversion conversion = convert_graph(source, options);
    const onnx::ModelWriter writer(conversion.graph, conversion.info);
    if (writer.message_size() < (std::uint64_t{1} << 20)) {
      MemorySink sink;
      writer.write(sink);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) return error.what();
  }
  return "";
}

bool is_number(const AttrField& field) { return field.kind.find("number") != std::string::npos; }
bool is_integer(const AttrField& field) { return field.kind.find("integer") != std::string::npos; }

// The values of an attribute that are tried, from the one that it has.
std::vector<std::string> values_of(const AttrField& field, const std::string& now) {
  std::vector<std::string> values;
  const auto try_number = [&](const std::string& number) {
    if (!field.kind.starts_with("tuple")) {
      values.push_back(number);
      return;
    }
    std::string inner(trim(now));
    if (inner.size() > 1 && (inner.front() == '(' || inner.front() == '['))
      inner = inner.substr(1, inner.size() - 2);
    std::vector<std::string> elements;
    for (const auto element : split(inner, ',')) {
      if (!trim(element).empty()) elements.emplace_back(trim(element));
    }
    if (elements.empty()) elements = {number, number};
    std::string all;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      std::string one;
      for (std::size_t k = 0; k < elements.size(); ++k)
        one += (k == i ? number : elements[k]) + ",";
      values.push_back("(" + one + ")");
      all += number + ",";
    }
    if (elements.size() > 1) values.push_back("(" + all + ")");
  };
  for (const char* number : kWhole) try_number(number);
  for (const char* number : kReal) {
    if (is_number(field)) try_number(number);
  }
  return values;
}

TEST(HugeAttributesTest, GiveAnErrorOrAModel) {
  const auto nodes = read_nodes();
  ASSERT_GT(nodes.size(), 500U);
  // As many nodes as differ in which attributes they have.
  std::set<std::string> seen;
  std::size_t tried = 0;
  for (const Node& node : nodes) {
    const OpDef* def = Registry::instance().find(node.op);
    if (def == nullptr) continue;
    std::string key = node.op;
    for (const auto& [name, value] : node.attrs) {
      const AttrField* field = def->attrs.find(name);
      key += " " + name + (field != nullptr && field->names.empty() ? "" : "=" + value);
    }
    if (!seen.insert(key).second) continue;
    for (const AttrField& field : def->attrs.fields()) {
      if (field.ignored || (!is_number(field) && !is_integer(field))) continue;
      const auto now = node.attrs.find(field.name);
      for (const auto& value :
           values_of(field, now != node.attrs.end() ? now->second : field.default_text)) {
        Node huge = node;
        huge.attrs[field.name] = value;
        EXPECT_EQ(fault_of(huge), "") << node.op << " " << field.name << "=" << value;
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 5000U);
}

}  // namespace
}  // namespace mx2onnx
