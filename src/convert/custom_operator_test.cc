// Operators of the user's own, through the public headers.
#include "mx2onnx/custom_operator.h"

#include <gtest/gtest.h>

#include "convert/conversion.h"
#include "ir/dim_parse.h"
#include "onnx/text.h"
#include "tests/support/error_text.h"

namespace mx2onnx {
namespace {

constexpr const char* kSymbol = R"({"nodes": [
  {"op": "null", "name": "data", "inputs": []},
  {"op": "Custom", "name": "act", "attrs": {"op_type": "scale", "factor": "2.5", "__lr_mult__": "1"},
   "inputs": [[0, 0, 0]]}], "heads": [[1, 0, 0]]})";

std::shared_ptr<CustomOperator> scale() {
  auto op = std::make_shared<CustomOperator>();
  op->name = "Custom:scale";
  op->inputs = {{"data"}};
  op->translate = [](const CustomNode& node, OnnxEmitter& onnx) {
    EXPECT_EQ(node.name, "act");
    EXPECT_FALSE(node.attributes.contains("__lr_mult__"));
    const auto factor = onnx.constant("float32", {}, {std::stod(node.attributes.at("factor"))});
    onnx.set_output(0, onnx.emit("Mul", {onnx.input(0), factor}));
  };
  return op;
}

std::string convert_with(std::shared_ptr<CustomOperator> op) {
  ConvertOptions options;
  options.inputs = {parse_input("data:n,3")};
  options.operators.push_back(std::move(op));
  return onnx::to_text(convert_graph({"symbol", kSymbol, {}, {}}, options).graph);
}

TEST(CustomOperator, IsTranslated) {
  EXPECT_EQ(convert_with(scale()),
            "data: float32 (n, 3)\n"
            "act_output = Mul(data, float32_2.5)\n"
            "-> act_output: float32 (n, 3)\n");
}

TEST(CustomOperator, HasAShapeRule) {
  auto op = scale();
  op->infer = [](const CustomNode& node) {
    return std::vector<CustomType>{{node.inputs[0].dtype, CustomShape{"n*2", "1"}}};
  };
  op->translate = [](const CustomNode& node, OnnxEmitter& onnx) {
    onnx.set_output(0, onnx.emit("Expand", {onnx.input(0), onnx.shape(*node.outputs[0].shape)}, {},
                                 {"", node.outputs[0].shape}));
  };
  EXPECT_NE(convert_with(op).find("-> act_output: float32 (2*n, 1)"), std::string::npos);
}

TEST(CustomOperator, NeedsANameOutputsAndATranslation) {
  auto op = scale();
  op->name.clear();
  EXPECT_EQ(error_text([&] { convert_with(op); }),
            "symbol: the registered operator '' has no name");
  op = scale();
  op->translate = {};
  EXPECT_EQ(error_text([&] { convert_with(op); }),
            "symbol: the registered operator 'Custom:scale' has no translation");
  op = scale();
  op->outputs.clear();
  EXPECT_EQ(error_text([&] { convert_with(op); }),
            "symbol: the registered operator 'Custom:scale' has no outputs");
}

TEST(DimText, IsReadBack) {
  DimArena arena;
  const Dim n = arena.symbol("n");
  const Dim m = arena.symbol("h_output.1#0.3/12");
  for (const Dim& dim : {Dim(0), Dim(17), n, n * 2 + 1, n * m - 3, floor_div(n + 1, 2) * 3,
                         min(n, m + 1), max(n * n, 4) - m, Dim(4) - n, ceil_div(n, m + 1)}) {
    const auto read = parse_dim(dim.to_string(), arena);
    ASSERT_TRUE(read.has_value()) << dim.to_string();
    EXPECT_TRUE(*read == dim) << dim.to_string();
  }
  EXPECT_FALSE(parse_dim("?", arena)->known());
  for (const char* text : {"", "a+", "(a", "a)", "1x", "a b", "min(a)", "99999999999999999999",
                           "a//0", "a//-1", "a-", "+", "max(a,b"}) {
    EXPECT_FALSE(parse_dim(text, arena).has_value()) << text;
  }
  EXPECT_FALSE(parse_dim(std::string(200, '(') + "1" + std::string(200, ')'), arena).has_value());
}

}  // namespace
}  // namespace mx2onnx
