#include "mxnet/symbol_json.h"

#include <gtest/gtest.h>

#include "mxnet/json_upgrade.h"
#include "support/error_text.h"

namespace mx2onnx::mxnet {
namespace {

TEST(SymbolJsonTest, ReadsTheThreeSpellingsOfAttributes) {
  for (const char* key : {"param", "attr", "attrs"}) {
    const std::string text = std::string(R"({"nodes": [{"op": "null", "name": "x", "inputs": []},
      {"op": "Activation", ")") +
                             key + R"(": {"act_type": "relu"}, "name": "a", "inputs": [[0, 0]]}],
      "heads": [[1, 0]]})";
    const Symbol symbol = parse_symbol(text);
    ASSERT_EQ(symbol.nodes.size(), 2U);
    EXPECT_TRUE(symbol.nodes[0].is_variable());
    EXPECT_EQ(symbol.nodes[1].attrs.at("act_type"), "relu");
    EXPECT_EQ(symbol.nodes[1].inputs, (std::vector<NodeEntry>{{0, 0}}));
    EXPECT_EQ(symbol.mxnet_version, 800);
    EXPECT_FALSE(symbol.says_version);
    EXPECT_FALSE(symbol.np_shape);
  }
}

TEST(SymbolJsonTest, UserAttributesWinOverParameters) {
  const Symbol symbol = parse_symbol(
      R"({"nodes": [{"op": "null", "name": "x", "attr": {"k": "1"}, "param": {"k": "2", "m": "3"},
    "inputs": []}], "heads": [[0, 0, 0]], "attrs": {"mxnet_version": ["int", 20000], "is_np_shape": ["int", 1]}})");
  EXPECT_EQ(symbol.nodes[0].attrs.at("k"), "1");
  EXPECT_EQ(symbol.nodes[0].attrs.at("m"), "3");
  EXPECT_EQ(version_text(symbol.mxnet_version), "2.0.0");
  EXPECT_TRUE(symbol.says_version);
  EXPECT_TRUE(symbol.np_shape);
}

// The attributes of a node with these members.
Attributes attributes_of(const std::string& members) {
  return parse_symbol(
             R"({"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "_plus_scalar", "name": "a", )" +
             members + R"("inputs": [[0, 0, 0]]}], "heads": [[1, 0, 0]]})")
      .nodes[1]
      .attrs;
}

// As MXNet 0.9.5, 0.11, 1.1 to 1.9.1 and 2.0.0b1 read them, those that know the member.
TEST(SymbolJsonTest, TheLastOfWhatIsRepeatedCounts) {
  const Attributes one = {{"scalar", "1"}};
  const Attributes two = {{"scalar", "2"}};
  const Attributes other = {{"__x__", "2"}};
  const Attributes both = {{"__x__", "2"}, {"scalar", "1"}};
  const std::vector<std::pair<std::string, Attributes>> cases = {
      {R"("attrs": {"scalar": "1", "scalar": "2"}, )", two},
      {R"("attrs": {"scalar": "1"}, "attrs": {"scalar": "2"}, )", two},
      {R"("attrs": {"scalar": "1"}, "attrs": {"__x__": "2"}, )", other},
      {R"("attrs": {"__x__": "2"}, "attrs": {"scalar": "1"}, )", one},
      {R"("attr": {"scalar": "1"}, "attr": {"scalar": "2"}, )", two},
      {R"("param": {"scalar": "1"}, "param": {"scalar": "2"}, )", two},
      {R"("attrs": {"scalar": "1"}, "attr": {"scalar": "2"}, )", two},
      {R"("attr": {"scalar": "1"}, "attrs": {"scalar": "2"}, )", two},
      {R"("attrs": {"scalar": "1"}, "attr": {"__x__": "2"}, )", other},
      {R"("attr": {"__x__": "2"}, "attrs": {"scalar": "1"}, )", one},
      {R"("attr": {"scalar": "2"}, "attrs": {}, )", {}},
      {R"("attrs": {"scalar": "2"}, "attr": {}, )", {}},
      {R"("attrs": {"scalar": "1"}, "param": {"scalar": "2"}, )", one},
      {R"("param": {"scalar": "1"}, "attrs": {"scalar": "2"}, )", two},
      {R"("attr": {"__x__": "2"}, "param": {"scalar": "1"}, )", both},
      {R"("param": {"scalar": "1"}, "attr": {"__x__": "2"}, )", both},
      {R"("param": {"scalar": "2"}, "attr": {}, )", two},
      {R"("param": {"scalar": "1"}, "attr": {"scalar": "2"}, "attrs": {"scalar": "3"}, )",
       {{"scalar", "3"}}},
  };
  for (const auto& [members, expected] : cases)
    EXPECT_EQ(attributes_of(members), expected) << members;
}

TEST(SymbolJsonTest, TheLastOfAllMembersCounts) {
  const Symbol symbol = parse_symbol(R"({"nodes": [],
    "nodes": [{"op": "null", "name": "x", "inputs": []},
      {"op": "relu", "op": "exp", "name": "a", "name": "b", "inputs": [], "inputs": [[0, 0, 0]],
       "subgraphs": [], "subgraphs": [{"nodes": [{"op": "null", "name": "y", "inputs": []}], "heads": [],
       "heads": [[0, 0, 0]]}]}],
    "heads": [[0, 0, 0]], "heads": [[1, 0, 0]],
    "attrs": {"mxnet_version": ["int", 10901], "is_np_shape": ["int", 1]},
    "attrs": {"mxnet_version": ["int", 800], "mxnet_version": ["int", 10500]}})");
  ASSERT_EQ(symbol.nodes.size(), 2U);
  EXPECT_EQ(symbol.nodes[1].op, "exp");
  EXPECT_EQ(symbol.nodes[1].name, "b");
  EXPECT_EQ(symbol.nodes[1].inputs, (std::vector<NodeEntry>{{0, 0}}));
  EXPECT_EQ(symbol.nodes[1].subgraphs.size(), 1U);
  EXPECT_EQ(symbol.heads, (std::vector<NodeEntry>{{1, 0}}));
  EXPECT_EQ(symbol.mxnet_version, 10500);
  EXPECT_FALSE(symbol.np_shape);
}

TEST(SymbolJsonTest, ReadsSubgraphs) {
  const Symbol symbol = parse_symbol(R"({"nodes": [{"op": "null", "name": "x", "inputs": []},
    {"op": "_foreach", "name": "f", "inputs": [[0, 0, 0]], "subgraphs": [{"nodes": [{"op": "null", "name": "y",
    "inputs": []}], "heads": [[0, 0, 0]]}]}], "heads": [[1, 0, 0]]})");
  ASSERT_EQ(symbol.nodes[1].subgraphs.size(), 1U);
  EXPECT_EQ(symbol.nodes[1].subgraphs[0]->nodes[0].name, "y");
}

std::string parse_error(const std::string& text) {
  return error_text([&] { parse_symbol(text); });
}

TEST(SymbolJsonTest, SaysWhatIsWrong) {
  EXPECT_EQ(parse_error("[]"),
            "the document: expected an object with nodes and heads, found an array");
  EXPECT_EQ(parse_error("{}"), "nodes: expected an array, found nothing");
  EXPECT_EQ(parse_error(R"({"nodes": [3], "heads": []})"),
            "nodes[0]: expected an object, found an integer");
  EXPECT_EQ(parse_error(R"({"nodes": [], "heads": []})"),
            "heads: expected at least one output, found none");
  EXPECT_EQ(parse_error(R"({"nodes": [{"op": 1, "name": "x", "inputs": []}], "heads": [[0, 0]]})"),
            "nodes[0].op: expected a string, found an integer");
  EXPECT_EQ(parse_error(R"({"nodes": [{"op": "null", "name": "x"}], "heads": [[0, 0]]})"),
            "nodes[0].inputs: expected an array, found nothing");
  EXPECT_EQ(
      parse_error(R"({"nodes": [{"op": "null", "name": "x", "inputs": []}], "heads": [[7, 0]]})"),
      "heads[0]: expected a node before number 1, found node 7\n"
      "hint: the nodes of a symbol file stand in topological order; a later node makes a cycle");
  EXPECT_EQ(
      parse_error(
          R"({"nodes": [{"op": "relu", "name": "x", "inputs": [[0, 0]]}], "heads": [[0, 0]]})"),
      "nodes[0].inputs[0]: expected a node before number 0, found node 0\n"
      "hint: the nodes of a symbol file stand in topological order; a later node makes a cycle");
  EXPECT_EQ(
      parse_error(R"({"nodes": [{"op": "null", "name": "x", "inputs": []}], "heads": [[0, -1]]})"),
      "heads[0]: expected an output number, found -1");
  EXPECT_EQ(
      parse_error(R"({"nodes": [{"op": "null", "name": "x", "inputs": []}], "heads": [["a", 0]]})"),
      "heads[0]: expected integers, found a string");
  EXPECT_EQ(
      parse_error(
          R"({"nodes": [{"op": "null", "name": "x", "inputs": [], "attrs": {"a": [1]}}], "heads": [[0, 0]]})"),
      "nodes[0].attrs.a: expected a string, found an array");
  EXPECT_EQ(
      parse_error(
          R"({"nodes": [{"op": "null", "name": "x", "inputs": [], "attrs": {"": [1]}}], "heads": [[0, 0]]})"),
      "nodes[0].attrs[\"\"]: expected a string, found an array");
  EXPECT_EQ(
      parse_error(
          R"({"nodes": [{"op": "null", "name": "x", "inputs": [], "subgraphs": [3]}], "heads": [[0, 0]]})"),
      "nodes[0].subgraphs[0]: expected an object with nodes and heads, found an integer");
}

class TwoStates : public OperatorSignatures {
 public:
  std::vector<std::string> input_names(const std::string& op,
                                       const Attributes& /*attrs*/) const override {
    if (op == "BatchNorm") return {"data", "gamma", "moving_mean"};
    return {};
  }
};

// Nodes are read while the text is: what is wrong with one counts only if the text is whole and
// its nodes are the last ones.
TEST(SymbolJsonTest, NodesAreReadOneByOne) {
  EXPECT_EQ(parse_error(R"({"nodes": [5], "heads": [)"),
            "line 1, column 26: the JSON text ends too early");
  EXPECT_EQ(parse_error(R"({"nodes": [5], "nodes": 5, "heads": []})"),
            "nodes: expected an array, found an integer");
  const Symbol symbol = parse_symbol(
      R"({"nodes": [5, []], "heads": [[0, 0]], "nodes": [{"op": "null", "name": "x", "inputs": []}]})");
  ASSERT_EQ(symbol.nodes.size(), 1U);
  EXPECT_EQ(symbol.nodes[0].name, "x");
}

TEST(JsonUpgradeTest, AddsAuxiliaryStatesBeforeVersion9) {
  const std::string nodes =
      R"({"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "null", "name": "g", "inputs": []},
    {"op": "BatchNorm", "name": "bn", "inputs": [[0, 0], [1, 0]]}, {"op": "relu", "name": "r", "inputs": [[2, 0]]}],
    "heads": [[3, 0], [0, 0]])";
  const Symbol old = upgrade_symbol(parse_symbol(nodes + "}"), TwoStates());
  ASSERT_EQ(old.nodes.size(), 5U);
  EXPECT_EQ(old.nodes[2].name, "bn_moving_mean");
  EXPECT_EQ(old.nodes[3].inputs, (std::vector<NodeEntry>{{0, 0}, {1, 0}, {2, 0}}));
  EXPECT_EQ(old.nodes[4].inputs, (std::vector<NodeEntry>{{3, 0}}));
  EXPECT_EQ(old.heads, (std::vector<NodeEntry>{{4, 0}, {0, 0}}));
  const Symbol newer = upgrade_symbol(
      parse_symbol(nodes + R"(, "attrs": {"mxnet_version": ["int", 900]}})"), TwoStates());
  EXPECT_EQ(newer.nodes.size(), 4U);
}

TEST(JsonUpgradeTest, HidesSchedulingKeysAndOldAxis) {
  const std::string text =
      R"({"nodes": [{"op": "null", "name": "x", "attr": {"lr_mult": "2"}, "inputs": []},
    {"op": "argmax", "name": "a", "attr": {"axis": "-1", "ctx_group": "g", "weight_lr_mult": "3", "__x__": "4"}, "inputs": [[0, 0]]}],
    "heads": [[1, 0]], "attrs": {"mxnet_version": ["int", )";
  const Symbol old = upgrade_symbol(parse_symbol(text + "904]}}"), TwoStates());
  EXPECT_EQ(old.nodes[0].attrs, (Attributes{{"__lr_mult__", "2"}}));
  EXPECT_EQ(old.nodes[1].attrs,
            (Attributes{{"__ctx_group__", "g"}, {"__weight_lr_mult__", "3"}, {"__x__", "4"}}));
  const Symbol newer = upgrade_symbol(parse_symbol(text + "905]}}"), TwoStates());
  EXPECT_EQ(newer.nodes[1].attrs.at("axis"), "-1");
}

}  // namespace
}  // namespace mx2onnx::mxnet
