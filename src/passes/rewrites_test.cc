// The passes that put one operator in place of an expression, before and after.
#include <fmt/format.h>

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

class MergeReshapesTest : public PassTest {
 protected:
  Value reshape(Value x, const Shape& shape, const std::vector<std::int64_t>& numbers) {
    return b_.emit("Reshape", {x, b_.ints(numbers)}, {}, {DType::kFloat32, shape});
  }
  // What the last node was told, or its operator.
  std::string of(Value y, std::size_t changes) {
    output(y, "y");
    EXPECT_EQ(merge_reshapes(graph_), changes);
    onnx::check_graph(graph_);
    const auto& node = graph_.main.nodes.back();
    std::string text = fmt::format("{} {}", node.op_type, graph_.name_of(node.inputs[0]));
    if (node.is("Reshape")) {
      for (const auto number : read_ints(*graph_.constant(node.inputs[1])))
        text += fmt::format(" {}", number);
    }
    return text;
  }
  DimArena arena_;
  Dim batch_ = arena_.symbol("batch");
};

TEST_F(MergeReshapesTest, OfAllKinds) {
  const Value flat = reshape(input("x", Shape{batch_, 4, 1, 1}), Shape{batch_, 4}, {0, 4});
  EXPECT_EQ(of(onnx::unsqueeze(b_, onnx::unsqueeze(b_, flat, {2}), {2}), 2), "Identity x");
}

TEST_F(MergeReshapesTest, SizesThatStay) {
  const Value parts = reshape(input("x", Shape{batch_, 32}), Shape{batch_, 4, 8}, {0, 4, 8});
  EXPECT_EQ(of(reshape(parts, Shape{batch_, 2, 16}, {0, 2, 16}), 1), "Reshape x 0 2 16");
}

TEST_F(MergeReshapesTest, OneSizeIsComputed) {
  const Dim all = batch_ * 7;
  const Value rows = reshape(input("x", Shape{batch_, 7, 8}), Shape{all, 8}, {-1, 8});
  EXPECT_EQ(of(reshape(rows, Shape{all * 2, 4}, {-1, 4}), 1), "Reshape x -1 4");
}

TEST_F(MergeReshapesTest, NotWhereTwoSizesAreComputed) {
  const Dim length = arena_.symbol("length");
  const Value rows =
      reshape(input("x", Shape{length, batch_, 8}), Shape{length * batch_, 8}, {-1, 8});
  EXPECT_EQ(of(reshape(rows, Shape{batch_, length, 8}, {-1, 7, 8}), 0), "Reshape Reshape -1 7 8");
}

TEST_F(MergeReshapesTest, NothingOfWhatTurnsBack) {
  const Value x = input("x", Shape{2, 3, 4});
  EXPECT_EQ(of(b_.transpose(b_.transpose(x, {1, 2, 0}), {2, 0, 1}), 1), "Identity x");
}

TEST_F(MergeReshapesTest, Transposes) {
  const Value x = input("x", Shape{2, 3, 4});
  EXPECT_EQ(of(b_.transpose(b_.transpose(x, {1, 0, 2}), {0, 2, 1}), 1), "Transpose x");
  EXPECT_EQ(graph_.main.nodes.back().ints_attr("perm"), (std::vector<std::int64_t>{1, 2, 0}));
}

TEST_F(MergeReshapesTest, ATransposeOfOnes) {
  EXPECT_EQ(of(b_.transpose(input("x", Shape{2, 1, 4}), {1, 0, 2}), 1), "Reshape x 1 2 4");
}

class MergeCastsTest : public PassTest {
 protected:
  std::string of(DType from, DType between, DType to) {
    output(b_.cast(b_.cast(input("x", Shape{2}, from), between), to), "y");
    merge_casts(graph_);
    onnx::check_graph(graph_);
    const auto& node = graph_.main.nodes.back();
    return fmt::format("{} {}", node.op_type, graph_.name_of(node.inputs[0]));
  }
};

TEST_F(MergeCastsTest, ThereAndBack) {
  EXPECT_EQ(of(DType::kFloat16, DType::kFloat32, DType::kFloat16), "Identity x");
}
TEST_F(MergeCastsTest, BoolThroughFloat) {
  EXPECT_EQ(of(DType::kBool, DType::kFloat32, DType::kInt64), "Cast x");
}
TEST_F(MergeCastsTest, NotWhereNumbersAreLost) {
  EXPECT_EQ(of(DType::kInt32, DType::kFloat32, DType::kInt64), "Cast Cast");
}
TEST_F(MergeCastsTest, NotWhereTheLastOneDecides) {
  EXPECT_EQ(of(DType::kInt32, DType::kFloat64, DType::kUint8), "Cast Cast");
}

class DepthToSpaceTest : public PassTest {
 protected:
  // With 2x2 blocks; returns what the last node is.
  std::string shuffled(const Shape& apart, const std::vector<std::int64_t>& numbers,
                       const std::vector<std::int64_t>& perm) {
    const Value x = input("x", Shape{1, 12, 4, 5});
    const Value parts = b_.emit("Reshape", {x, b_.ints(numbers)}, {}, {DType::kFloat32, apart});
    output(b_.emit("Reshape", {b_.transpose(parts, perm), b_.ints({1, 3, 8, 10})}, {},
                   {DType::kFloat32, Shape{1, 3, 8, 10}}),
           "y");
    name_depth_to_space(graph_);
    onnx::check_graph(graph_);
    const auto& node = graph_.main.nodes.back();
    return fmt::format("{} {}", node.op_type, node.string_attr("mode", ""));
  }
};

TEST_F(DepthToSpaceTest, ChannelsFirst) {
  EXPECT_EQ(shuffled(Shape{1, 3, 2, 2, 4, 5}, {1, 3, 2, 2, 4, 5}, {0, 1, 4, 2, 5, 3}),
            "DepthToSpace CRD");
}
TEST_F(DepthToSpaceTest, BlocksFirst) {
  EXPECT_EQ(shuffled(Shape{1, 2, 2, 3, 4, 5}, {1, 2, 2, 3, 4, 5}, {0, 3, 4, 1, 5, 2}),
            "DepthToSpace DCR");
}
TEST_F(DepthToSpaceTest, NotWithColumnsAndRowsExchanged) {
  EXPECT_EQ(shuffled(Shape{1, 3, 2, 2, 4, 5}, {1, 3, 2, 2, 4, 5}, {0, 1, 4, 3, 5, 2}), "Reshape ");
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
