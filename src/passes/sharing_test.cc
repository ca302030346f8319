// Equal nodes computed once, and Slices that are one Split, before and after.
#include "onnx/opset.h"
#include "passes/pass.h"
#include "support/pass_test.h"

namespace mx2onnx::passes {
namespace {

using onnx::Value;

TEST_F(PassTest, ShareDuplicateNodesInChains) {
  const Value x = input("x", Shape{2});
  const Value a = b_.unary("Exp", b_.unary("Relu", x));
  const Value b = b_.unary("Exp", b_.unary("Relu", x));
  output(b_.add(a, b), "y");
  EXPECT_EQ(after(share_duplicate_nodes, 2),
            "x: float32 (2,)\nRelu = Relu(x)\nExp = Exp(Relu)\ny = Add(Exp, Exp)\n"
            "-> y: float32 (2,)\n");
}

TEST_F(PassTest, ShareDuplicateNodesKeepsTheNamesOfOutputs) {
  const Value x = input("x", Shape{2});
  const Value first = b_.unary("Relu", x);
  const Value second = b_.unary("Relu", x);
  const Value third = b_.unary("Relu", x);
  output(second, "y");
  output(third, "z");
  output(b_.unary("Exp", first), "w");
  EXPECT_EQ(after(share_duplicate_nodes, 1),
            "x: float32 (2,)\ny = Relu(x)\nz = Relu(x)\nw = Exp(y)\n"
            "-> y: float32 (2,)\n-> z: float32 (2,)\n-> w: float32 (2,)\n");
}

TEST_F(PassTest, ShareDuplicateNodesLooksAtAttributes) {
  const Value x = input("x", Shape{2, 3});
  output(onnx::reduce(b_, "ReduceMax", x, {0}, false), "y");
  output(onnx::reduce(b_, "ReduceMax", x, {1}, false), "z");
  EXPECT_EQ(share_duplicate_nodes(graph_), 0U);
}

TEST_F(PassTest, ShareDuplicateNodesLeavesDraws) {
  const Value x = input("x", Shape{2});
  const auto draw = [&] {
    return b_.emit("RandomUniformLike", {x}, {}, {DType::kFloat32, Shape{2}});
  };
  const Value a = draw();
  output(b_.add(a, draw()), "y");
  EXPECT_EQ(share_duplicate_nodes(graph_), 0U);
}

class SlicesToSplitTest : public PassTest {
 protected:
  Value x_ = input("x", Shape{2, 7});
  Value columns(std::int64_t start, std::int64_t end, std::int64_t size) {
    return onnx::slice(b_, x_, {{1, start, end, 1}}, Shape{2, size});
  }
};

TEST_F(SlicesToSplitTest, WhateverTheirOrder) {
  const Value last = columns(-3, onnx::kSliceEnd, 3);
  output(b_.unary("Exp", last), "c");
  output(columns(0, 2, 2), "a");
  output(columns(2, 4, 2), "b");
  EXPECT_EQ(after(slices_to_split, 3),
            "x: float32 (2, 7)\na, b, Slice = Split(x, ints_2_2_3) axis=1\nc = Exp(Slice)\n"
            "-> c: float32 (2, 3)\n-> a: float32 (2, 2)\n-> b: float32 (2, 2)\n");
}

TEST_F(SlicesToSplitTest, NotWhereSomethingIsLeftOut) {
  output(columns(0, 2, 2), "a");
  output(columns(2, 6, 4), "b");
  EXPECT_EQ(slices_to_split(graph_), 0U);
}

TEST_F(SlicesToSplitTest, NotWhereTheyOverlap) {
  output(columns(0, 4, 4), "a");
  output(columns(3, 7, 4), "b");
  EXPECT_EQ(slices_to_split(graph_), 0U);
}

TEST_F(SlicesToSplitTest, BySizesInAnAttributeBeforeOpset13) {
  output(columns(0, 2, 2), "a");
  output(columns(2, 7, 5), "b");
  EXPECT_EQ(slices_to_split(graph_, {12, false}), 2U);
  EXPECT_EQ(graph_.main.nodes.size(), 1U);
  EXPECT_EQ(graph_.main.nodes[0].ints_attr("split"), (std::vector<std::int64_t>{2, 5}));
}

}  // namespace
}  // namespace mx2onnx::passes
