// The passes that put one operator in place of an expression, before and after.
#include "onnx/opset.h"
#include "passes/pass.h"
#include "passes/rewrite.h"
#include "support/pass_test.h"

namespace mx2onnx::passes {
namespace {

using onnx::Value;

class MergeBoundsTest : public PassTest {
 protected:
  Value x_ = input("x", Shape{2, 3});
  std::string of(Value y, std::size_t changes) {
    output(y, "y");
    const std::string text = after(merge_bounds, changes);
    const std::size_t begin = text.find('\n') + 1;
    return text.substr(begin, text.find("->") - begin);
  }
};

TEST_F(MergeBoundsTest, EitherOrderOfInputsAndBounds) {
  const Value low_first = b_.binary("Min", number(6), b_.binary("Max", x_, number(-1)));
  const Value high_first = b_.binary("Max", number(-1), b_.binary("Min", x_, number(6)));
  output(low_first, "y");
  output(high_first, "z");
  EXPECT_EQ(merge_bounds(graph_), 2U);
  for (const auto& node : graph_.main.nodes) {
    EXPECT_EQ(node.op_type, "Clip");
    EXPECT_EQ(node.inputs[0], x_);
    EXPECT_EQ(read_doubles(*graph_.constant(node.inputs[1]))[0], -1);
    EXPECT_EQ(read_doubles(*graph_.constant(node.inputs[2]))[0], 6);
  }
  EXPECT_EQ(graph_.main.nodes.size(), 2U);
}

TEST_F(MergeBoundsTest, Relu) {
  EXPECT_EQ(of(b_.binary("Max", x_, number(0)), 1), "y = Relu(x)\n");
}

TEST_F(MergeBoundsTest, ReluAndThenABound) {
  // Twice: a Relu first.
  EXPECT_EQ(of(b_.binary("Min", b_.binary("Max", x_, number(0)), number(6)), 2),
            "y = Clip(x, y/Constant, y/Constant_1)\n");
}

TEST_F(MergeBoundsTest, NotWhereTheBoundsCross) {
  EXPECT_EQ(of(b_.binary("Min", b_.binary("Max", x_, number(6)), number(1)), 0),
            "Max = Max(x, float32_6)\ny = Min(Max, float32_1)\n");
}

TEST_F(MergeBoundsTest, NotOneBoundAlone) {
  EXPECT_EQ(of(b_.binary("Min", x_, number(6)), 0), "y = Min(x, float32_6)\n");
}

TEST_F(MergeBoundsTest, NotWhereTheFirstHasAnotherUse) {
  const Value bounded = b_.binary("Max", x_, number(-1));
  output(b_.unary("Exp", bounded), "z");
  EXPECT_EQ(of(b_.binary("Min", bounded, number(6)), 0),
            "Max = Max(x, float32_-1)\nz = Exp(Max)\ny = Min(Max, float32_6)\n");
}

TEST_F(MergeBoundsTest, NotWhereANumberAddsAxes) {
  const Value wide = weight("wide", {1, 1, 1}, {-1});
  EXPECT_EQ(of(b_.binary("Min", b_.binary("Max", x_, wide), number(6)), 0),
            "Max = Max(x, wide)\ny = Min(Max, float32_6)\n");
}

TEST_F(MergeBoundsTest, NotIntegers) {
  const Value ids = input("ids", Shape{2}, DType::kInt64);
  output(b_.binary("Min", b_.binary("Max", ids, b_.int_scalar(0)), b_.int_scalar(9)), "y");
  EXPECT_EQ(merge_bounds(graph_), 0U);
}

class HardActivationsTest : public PassTest {
 protected:
  Value x_ = input("x", Shape{2, 3});
  Value relu6() { return onnx::clip(b_, b_.add(x_, number(3)), 0, 6); }
  std::string of(Value y, std::size_t changes) {
    output(y, "y");
    return after(name_hard_activations, changes);
  }
};

TEST_F(HardActivationsTest, Sigmoid) {
  EXPECT_EQ(of(b_.div(relu6(), number(6)), 1),
            "x: float32 (2, 3)\ny = HardSigmoid(x) alpha=0.166667 beta=0.5\n"
            "-> y: float32 (2, 3)\n");
}

TEST_F(HardActivationsTest, Swish) {
  EXPECT_EQ(of(b_.mul(x_, b_.mul(relu6(), number(1.0 / 6))), 2),
            "x: float32 (2, 3)\ny = HardSwish(x)\n-> y: float32 (2, 3)\n");
}

TEST_F(HardActivationsTest, SwishDividedAtTheEnd) {
  EXPECT_EQ(of(b_.div(b_.mul(relu6(), x_), number(6)), 1),
            "x: float32 (2, 3)\ny = HardSwish(x)\n-> y: float32 (2, 3)\n");
}

TEST_F(HardActivationsTest, NotASwishOfSomethingElse) {
  const Value other = input("z", Shape{2, 3});
  EXPECT_EQ(of(b_.mul(other, b_.div(relu6(), number(6))), 1),
            "x: float32 (2, 3)\nz: float32 (2, 3)\n"
            "Div = HardSigmoid(x) alpha=0.166667 beta=0.5\ny = Mul(z, Div)\n"
            "-> y: float32 (2, 3)\n");
}

TEST_F(HardActivationsTest, NoSwishBeforeOpset14) {
  output(b_.mul(x_, b_.div(relu6(), number(6))), "y");
  EXPECT_EQ(name_hard_activations(graph_, {13, false}), 1U);
  EXPECT_EQ(graph_.main.nodes.back().op_type, "Mul");
}

TEST_F(HardActivationsTest, NotOtherNumbers) {
  EXPECT_EQ(name_hard_activations(graph_), 0U);
  output(b_.div(onnx::clip(b_, b_.add(x_, number(2)), 0, 6), number(6)), "y");
  EXPECT_EQ(name_hard_activations(graph_), 0U);
}

TEST_F(PassTest, RewritingFollowsWhatItReplaced) {
  static const std::vector<Rule> rules = {
      {op("Neg", {op("Neg", {any("x")})}),
       [](const Match& match, Place&) -> std::optional<NewNode> {
         return NewNode{"Identity", {match.value("x")}};
       }},
      {op("Identity", {op("Identity", {any("x")})}),
       [](const Match& match, Place&) -> std::optional<NewNode> {
         return NewNode{"Identity", {match.value("x")}};
       }},
  };
  Value y = input("x", Shape{2});
  for (int i = 0; i < 6; ++i) y = b_.unary("Neg", y);
  output(y, "y");
  EXPECT_GT(rewrite(graph_, rules), 0U);
  onnx::check_graph(graph_);
  while (rewrite(graph_, rules) > 0) {
  }
  EXPECT_EQ(onnx::to_text(graph_), "x: float32 (2,)\ny = Identity(x)\n-> y: float32 (2,)\n");
}

}  // namespace
}  // namespace mx2onnx::passes
