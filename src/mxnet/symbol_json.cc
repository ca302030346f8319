#include "mxnet/symbol_json.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/attempt.h"
#include "base/error.h"
#include "base/interruption.h"
#include "base/json.h"
#include "base/text.h"

namespace mx2onnx::mxnet {
namespace {

[[noreturn]] void fail_expected(const std::string& path, std::string_view expected,
                                const JsonValue* found) {
  fail(ErrorCode::kFormat, fmt::format("{}: expected {}, found {}", path, expected,
                                       found == nullptr ? "nothing" : found->kind_name()));
}

const JsonArray& array_member(const JsonValue& object, std::string_view key,
                              const std::string& path) {
  const JsonValue* member = object.find(key);
  const JsonArray* array = member == nullptr ? nullptr : member->as_array();
  if (array == nullptr) fail_expected(path + std::string(key), "an array", member);
  return *array;
}

std::string string_member(const JsonValue& object, std::string_view key, const std::string& path) {
  const JsonValue* member = object.find(key);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  if (text == nullptr) fail_expected(path + "." + std::string(key), "a string", member);
  return *text;
}

// "nodes[3].attrs.kernel"; what is no plain word stands in quotes, so that it can be seen.
std::string member_path(const std::string& path, std::string_view key) {
  const bool is_word = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return is_word ? fmt::format("{}.{}", path, key) : fmt::format("{}[{}]", path, in_quotes(key));
}

// [node, output] or, since 0.9, [node, output, version].
NodeEntry read_entry(const JsonValue& value, std::size_t node_limit, const std::string& path) {
  const JsonArray* array = value.as_array();
  if (array == nullptr || array->size() < 2 || array->size() > 3) {
    fail_expected(path, "an array [node, output, version]", &value);
  }
  const std::int64_t* node = (*array)[0].as_int();
  const std::int64_t* index = (*array)[1].as_int();
  if (node == nullptr || index == nullptr) {
    fail_expected(path, "integers", &(*array)[node == nullptr ? 0 : 1]);
  }
  if (*node < 0 || static_cast<std::uint64_t>(*node) >= node_limit) {
    fail(
        ErrorCode::kFormat,
        fmt::format("{}: expected a node before number {}, found node {}", path, node_limit, *node),
        "the nodes of a symbol file stand in topological order; a later node makes a cycle");
  }
  if (*index < 0 || *index > std::numeric_limits<std::int32_t>::max()) {
    fail(ErrorCode::kFormat, fmt::format("{}: expected an output number, found {}", path, *index));
  }
  return {static_cast<std::uint32_t>(*node), static_cast<std::uint32_t>(*index)};
}

// Attribute values are strings in every file that MXNet wrote; numbers and booleans come from
// people.
std::string attribute_text(const JsonValue& value, const std::string& path) {
  if (const auto* text = value.as_string()) return *text;
  if (const auto* integer = value.as_int()) return std::to_string(*integer);
  if (const auto* boolean = value.as_bool()) return *boolean ? "True" : "False";
  if (const auto* number = std::get_if<double>(&value.value)) return fmt::format("{}", *number);
  fail_expected(path, "a string", &value);
}

Attributes read_attributes(const JsonValue& value, const std::string& path) {
  const JsonObject* object = value.as_object();
  if (object == nullptr) fail_expected(path, "an object", &value);
  Attributes attrs;
  for (const auto& [name, text] : *object) {
    attrs.insert_or_assign(name, attribute_text(text, member_path(path, name)));
  }
  return attrs;
}

// `attrs` since 1.0, `attr` from 0.9; before that `param` held the operator's parameters and `attr`
// the user's. `attrs` and `attr` are one field to every MXNet, which a later one replaces as a
// whole, and `param` (the last of several) adds what that field does not have. Found by loading
// such files in 0.9.5 to 2.0.0b1; of all other members, and of equal keys, the last counts, too.
Attributes node_attributes(const JsonObject& node, const std::string& path) {
  Attributes attrs;
  Attributes param;
  for (const auto& [key, value] : node) {
    const std::string place = fmt::format("{}.{}", path, key);
    if (key == "attrs" || key == "attr") attrs = read_attributes(value, place);
    if (key == "param") param = read_attributes(value, place);
  }
  attrs.merge(param);
  return attrs;
}

Symbol read_symbol(const JsonValue& document, const std::string& path);

Node read_node(const JsonValue& value, std::size_t index, const std::string& prefix) {
  interruption_point();
  const std::string path = fmt::format("{}nodes[{}]", prefix, index);
  if (value.as_object() == nullptr) fail_expected(path, "an object", &value);
  Node node;
  node.op = string_member(value, "op", path);
  if (node.op == "null") node.op.clear();
  node.name = string_member(value, "name", path);
  node.attrs = node_attributes(*value.as_object(), path);
  const JsonArray& inputs = array_member(value, "inputs", path + ".");
  node.inputs.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    node.inputs.push_back(read_entry(inputs[i], index, fmt::format("{}.inputs[{}]", path, i)));
  }
  if (node.is_variable() && !node.inputs.empty()) {
    fail(ErrorCode::kFormat, fmt::format("{}: expected a variable without inputs, found {} inputs",
                                         path, node.inputs.size()));
  }
  if (value.find("subgraphs") != nullptr) {
    const JsonArray& subgraphs = array_member(value, "subgraphs", path + ".");
    for (std::size_t i = 0; i < subgraphs.size(); ++i) {
      node.subgraphs.push_back(std::make_shared<Symbol>(
          read_symbol(subgraphs[i], fmt::format("{}.subgraphs[{}].", path, i))));
    }
  }
  return node;
}

// Graph attributes are pairs ["int", value].
const std::int64_t* graph_attribute(const JsonValue& document, std::string_view key) {
  const JsonValue* attrs = document.find("attrs");
  const JsonValue* pair = attrs == nullptr ? nullptr : attrs->find(key);
  const JsonArray* array = pair == nullptr ? nullptr : pair->as_array();
  return array != nullptr && array->size() == 2 ? (*array)[1].as_int() : nullptr;
}

void expect_document(const JsonValue& document, const std::string& path) {
  if (document.as_object() != nullptr) return;
  fail_expected(path.empty() ? "the document" : path.substr(0, path.size() - 1),
                "an object with nodes and heads", &document);
}

// All but the nodes, which the symbol has already.
void read_rest(const JsonValue& document, const std::string& path, Symbol& symbol) {
  const JsonArray& heads = array_member(document, "heads", path);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    symbol.heads.push_back(
        read_entry(heads[i], symbol.nodes.size(), fmt::format("{}heads[{}]", path, i)));
  }
  if (symbol.heads.empty()) {
    fail(ErrorCode::kFormat,
         fmt::format("{}heads: expected at least one output, found none", path));
  }
  if (const auto* version = graph_attribute(document, "mxnet_version")) {
    symbol.mxnet_version = *version;
    symbol.says_version = true;
  }
  if (const auto* np_shape = graph_attribute(document, "is_np_shape")) {
    symbol.np_shape = *np_shape != 0;
  }
}

// Recursion is bounded by the nesting that parse_json allows.
Symbol read_symbol(const JsonValue& document, const std::string& path) {
  expect_document(document, path);
  Symbol symbol;
  const JsonArray& nodes = array_member(document, "nodes", path);
  symbol.nodes.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    symbol.nodes.push_back(read_node(nodes[i], i, path));
  }
  read_rest(document, path, symbol);
  return symbol;
}

}  // namespace

Symbol parse_symbol(std::string_view text) {
  Symbol symbol;
  std::optional<Error> failure;  // of a node; that the whole is no JSON is said first
  const auto begin = [&] {
    symbol.nodes.clear();
    failure.reset();
  };
  const auto take = [&](const JsonValue& node) {
    if (failure) return;
    failure = attempt([&] { symbol.nodes.push_back(read_node(node, symbol.nodes.size(), "")); });
  };
  const JsonValue document = parse_json(text, {"nodes", begin, take});
  expect_document(document, "");
  array_member(document, "nodes", "");
  if (failure) fail_again(*failure);
  read_rest(document, "", symbol);
  return symbol;
}

}  // namespace mx2onnx::mxnet
