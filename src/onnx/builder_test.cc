// The builder, the opset's spellings, sizes at run time, names, schemas.
#include "onnx/builder.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "onnx/check.h"
#include "onnx/opset.h"
#include "onnx/shape_expr.h"
#include "onnx/text.h"
#include "support/error_text.h"

namespace mx2onnx::onnx {
namespace {

// A graph with one input `x` of shape (N, 3, H).
class BuilderTest : public testing::Test {
 protected:
  void start(int opset) {
    graph_ = std::make_unique<Graph>();
    b_ = std::make_unique<Builder>(*graph_, opset);
    x_ = b_->add_input("x", {DType::kFloat32, Shape{n_, 3, h_}});
    b_->define_symbol("N", x_, 0);
    b_->define_symbol("H", x_, 2);
    b_->begin_node("op");
  }
  // The lines of the nodes.
  std::string nodes() const {
    const std::string text = to_text(*graph_);
    return text.substr(text.find('\n') + 1);
  }

  DimArena arena_;
  Dim n_ = arena_.symbol("N");
  Dim h_ = arena_.symbol("H");
  std::unique_ptr<Graph> graph_;
  std::unique_ptr<Builder> b_;
  Value x_;
};

TEST_F(BuilderTest, AxesAreAttributesOrInputs) {
  start(12);
  reduce(*b_, "ReduceSum", x_, {1}, false);
  squeeze(*b_, x_, {1});
  EXPECT_EQ(nodes(),
            "op/ReduceSum = ReduceSum(x) axes=[1] keepdims=0\n"
            "op/Squeeze = Squeeze(x) axes=[1]\n");
  start(13);
  reduce(*b_, "ReduceSum", x_, {1}, false);
  reduce(*b_, "ReduceMax", x_, {1}, true);
  EXPECT_EQ(nodes(),
            "op/ReduceSum = ReduceSum(x, ints_1) keepdims=0\n"
            "op/ReduceMax = ReduceMax(x) axes=[1] keepdims=1\n");
  start(18);
  EXPECT_EQ(b_->shape(reduce(*b_, "ReduceMax", x_, {-1}, true)).to_string(), "(N, 3, 1)");
  EXPECT_EQ(nodes(), "op/ReduceMax = ReduceMax(x, ints_-1) keepdims=1\n");
}

TEST_F(BuilderTest, SoftmaxOfOneAxis) {
  start(12);
  softmax(*b_, "Softmax", x_, 1);
  EXPECT_EQ(nodes(),
            "op/Transpose = Transpose(x) perm=[0,2,1]\n"
            "op/Softmax = Softmax(op/Transpose) axis=2\n"
            "op/Transpose_1 = Transpose(op/Softmax) perm=[0,2,1]\n");
  start(13);
  softmax(*b_, "Softmax", x_, 1);
  EXPECT_EQ(nodes(), "op/Softmax = Softmax(x) axis=1\n");
}

TEST_F(BuilderTest, SplitIsSpelledInThreeWays) {
  for (const auto& [opset, line] : std::vector<std::pair<int, std::string>>{
           {12, "op/Split, op/Split_1 = Split(x) axis=1 split=[1,2]\n"},
           {13, "op/Split, op/Split_1 = Split(x, ints_1_2) axis=1\n"}}) {
    start(opset);
    split(*b_, x_, 1, {1, 2});
    EXPECT_EQ(nodes(), line);
  }
  start(18);
  split(*b_, x_, 1, {1, 1, 1});
  EXPECT_EQ(nodes(), "op/Split, op/Split_1, op/Split_2 = Split(x) axis=1 num_outputs=3\n");
}

TEST_F(BuilderTest, ReshapeUsesNumbersWhereTheyAreEnough) {
  start(17);
  reshape(*b_, x_, Shape{n_, h_ * 3});
  reshape(*b_, x_, Shape{n_, 3, h_});
  EXPECT_EQ(nodes(), "op/Reshape = Reshape(x, ints_0_-1)\n");
}

TEST_F(BuilderTest, ExpandKeepsFreeSizesWithoutReadingThem) {
  start(17);
  const Value row = reduce(*b_, "ReduceMax", x_, {1}, true);
  expand(*b_, row, Shape{n_, 5, h_});
  expand(*b_, row, Shape{2, n_, 5, h_});
  EXPECT_EQ(nodes(),
            "op/ReduceMax = ReduceMax(x) axes=[1] keepdims=1\n"
            "op/Expand = Expand(op/ReduceMax, ints_1_5_1)\n"
            "op/Expand_1 = Expand(op/ReduceMax, ints_2_1_5_1)\n");
}

TEST_F(BuilderTest, SizesAreComputedOnce) {
  start(17);
  size_tensor(*b_, floor_div(h_ - 1, 2) + 1);
  size_tensor(*b_, floor_div(h_ - 1, 2) + 1);
  size_tensor(*b_, h_);
  EXPECT_EQ(nodes(),
            "op/Shape = Shape(x) start=2 end=3\n"
            "op/Add = Add(op/Shape, ints_1)\n"
            "op/Div = Div(op/Add, ints_2)\n");
  start(12);
  sizes_tensor(*b_, {n_, 4, h_});
  EXPECT_EQ(nodes(),
            "op/Shape = Shape(x)\n"
            "op/Gather = Gather(op/Shape, ints_0) axis=0\n"
            "op/Gather_1 = Gather(op/Shape, ints_2) axis=0\n"
            "op/Concat = Concat(op/Gather, ints_4, op/Gather_1) axis=0\n");
}

TEST_F(BuilderTest, StaticSizesAreConstants) {
  start(17);
  sizes_tensor(*b_, {2, 3});
  fill(*b_, DType::kFloat32, 1, Shape{2, 3});
  EXPECT_EQ(nodes(), "");
}

TEST_F(BuilderTest, SmallConstantsAreShared) {
  start(17);
  EXPECT_EQ(b_->ints({1, 2}), b_->ints({1, 2}));
  EXPECT_EQ(b_->scalar(DType::kFloat32, 0.5), b_->scalar(DType::kFloat32, 0.5));
  EXPECT_FALSE(b_->scalar(DType::kFloat32, 0.5) == b_->scalar(DType::kFloat64, 0.5));
}

TEST_F(BuilderTest, RefusesWhatTheOpsetDoesNotHave) {
  start(12);
  EXPECT_EQ(error_text([&] { b_->unary("Gelu", x_); }),
            "needs ONNX's Gelu, which opset 12 does not have\nhint: ask for --opset 20 or newer");
  EXPECT_EQ(error_text([&] {
              b_->emit("Shape", {x_}, {{"start", 1}}, {DType::kInt64, Shape{2}});
            }),
            "needs the attribute 'start' of ONNX's Shape, which opset 12 does not have\n"
            "hint: ask for a newer opset");
  const Value whole = b_->add_input("i", {DType::kInt32, Shape{2}});
  EXPECT_EQ(error_text([&] { b_->unary("Relu", whole); }),
            "ONNX's Relu of opset 12 does not take int32\nhint: ask for --opset 14 or newer");
  EXPECT_EQ(error_text([&] { b_->add(x_, whole); }),
            "internal error: Add is emitted with inputs of type float32 and int32");
  EXPECT_EQ(error_text([&] {
              b_->emit("Concat", {x_, x_}, {}, b_->type(x_));
            }),
            "internal error: Concat is emitted without attribute 'axis'");
}

TEST_F(BuilderTest, NamesOfMxnetComeFirst) {
  start(17);
  b_->reserve_name("fc_output");
  const Value made_up = b_->emit("Identity", {x_}, {}, b_->type(x_));
  EXPECT_EQ(graph_->name_of(made_up), "op/Identity");
  b_->begin_node("fc");
  const Value first = b_->name_output(b_->identity(x_), "fc_output");
  const Value second = b_->name_output(b_->identity(x_), "fc_output");
  EXPECT_EQ(graph_->name_of(first), "fc_output");
  EXPECT_EQ(graph_->name_of(second), "fc_output_1");
  // An input cannot change its name.
  const Value of_input = b_->name_output(x_, "out");
  EXPECT_EQ(graph_->name_of(of_input), "out");
  EXPECT_EQ(graph_->main.nodes.back().op_type, "Identity");
}

TEST(NamesTest, UniqueAndUtf8) {
  Names names;
  EXPECT_EQ(names.unique("a"), "a");
  EXPECT_EQ(names.unique("a_1"), "a_1");
  EXPECT_EQ(names.unique("a"), "a_2");
  EXPECT_EQ(names.unique(""), "unnamed");
  EXPECT_EQ(names.unique("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(names.unique("x\xff\xc3"), "x__");
  EXPECT_EQ(names.unique("\xed\xa0\x80"), "___");  // a surrogate
}

TEST(SchemaTest, KnowsVersionsAndTypes) {
  EXPECT_EQ(find_schema("Relu", 13)->since_version, 13);
  EXPECT_EQ(find_schema("Relu", 28)->since_version, 14);
  EXPECT_EQ(find_schema("Gelu", 19), nullptr);
  EXPECT_EQ(find_schema("NoSuchOperator", 17), nullptr);
  EXPECT_EQ(first_opset("LayerNormalization"), 17);
  EXPECT_EQ(first_opset_for_dtype("Relu", 0, DType::kInt32, 12), 14);
  const std::vector<int> expected = {7, 7, 7, 8, 8, 8, 8, 9, 9, 10, 10, 11, 12, 13, 13, 13, 14};
  for (int opset = kOldestOpset; opset <= kNewestOpset; ++opset) {
    EXPECT_EQ(ir_version(opset), expected[static_cast<std::size_t>(opset - kOldestOpset)]) << opset;
  }
}

TEST(BroadcastTest, Shapes) {
  DimArena arena;
  const Dim n = arena.symbol("N");
  EXPECT_EQ(broadcast(Shape{n, 1, 3}, Shape{4, 1}).to_string(), "(N, 4, 3)");
  EXPECT_EQ(broadcast(Shape{n}, Shape{5}).to_string(), "(5,)");
  EXPECT_EQ(broadcast(Shape{n}, Shape{arena.symbol("M")}).to_string(), "(max(N, M),)");
  EXPECT_EQ(broadcast(Shape{n}, Shape{Dim()}).to_string(), "(?,)");
}

TEST(CheckTest, FindsWhatIsNotWellFormed) {
  Graph graph;
  const Value x = graph.add_value({"x", {DType::kFloat32, Shape{1}}, std::nullopt});
  const Value y = graph.add_value({"x", {DType::kFloat32, Shape{1}}, std::nullopt});
  graph.main.inputs = {x};
  graph.main.nodes.push_back({"Relu", "", "relu", {x}, {y}, {}});
  graph.main.outputs = {y};
  EXPECT_EQ(error_text([&] { check_graph(graph); }),
            "internal error: two values have the name 'x'");
  graph.info(y).name = "y";
  EXPECT_EQ(error_text([&] { check_graph(graph); }), "no error");
  graph.main.nodes[0].inputs = {y};
  EXPECT_EQ(error_text([&] { check_graph(graph); }),
            "internal error: value 'y' is used before it is made");
}

}  // namespace
}  // namespace mx2onnx::onnx
