// Each pass on small graphs, before and after.
#include "onnx/opset.h"
#include "passes/pass.h"
#include "support/error_text.h"
#include "support/pass_test.h"

namespace mx2onnx::passes {
namespace {

using onnx::Value;

TEST_F(PassTest, RemoveIdentities) {
  const Value x = input("x", Shape{2});
  const Value relu = b_.unary("Relu", onnx::dropout(b_, b_.identity(x), 0.5));
  output(b_.identity(relu), "y");
  EXPECT_EQ(after(remove_identities, 3), "x: float32 (2,)\ny = Relu(x)\n-> y: float32 (2,)\n");
}

TEST_F(PassTest, RemoveIdentitiesKeepsOutputsThatAreInputsOrTwice) {
  const Value x = input("x", Shape{2});
  const Value relu = b_.unary("Relu", x);
  output(relu, "y");
  output(b_.identity(relu), "y2");
  output(b_.identity(x), "z");
  EXPECT_EQ(after(remove_identities, 0),
            "x: float32 (2,)\ny = Relu(x)\ny2 = Identity(y)\nz = Identity(x)\n"
            "-> y: float32 (2,)\n-> y2: float32 (2,)\n-> z: float32 (2,)\n");
}

TEST_F(PassTest, FoldConstants) {
  const Value w = weight("w", {2}, {1, 2});
  const Value doubled = b_.add(w, w);
  output(b_.mul(input("x", Shape{2}), doubled), "y");
  EXPECT_EQ(after(fold_constants, 1), "x: float32 (2,)\ny = Mul(x, Add)\n-> y: float32 (2,)\n");
  EXPECT_EQ(read_doubles(*graph_.constant(doubled)), (std::vector<double>{2, 4}));
}

TEST_F(PassTest, FoldConstantsDoesNotGrowTheFile) {
  const Value w = weight("w", {1}, {1});
  const auto spread = [&](std::int64_t size) {
    return b_.emit("Expand", {w, b_.ints({size})}, {}, {DType::kFloat32, Shape{size}});
  };
  output(b_.add(input("x", Shape{5000}), spread(5000)), "y");
  EXPECT_EQ(fold_constants(graph_), 0U);
  // A little, and no more together than 256 KiB.
  for (std::int64_t size = 3001; size < 3101; ++size) {
    output(b_.add(input(std::to_string(size), Shape{size}), spread(size)),
           "y" + std::to_string(size));
  }
  EXPECT_EQ(fold_constants(graph_, {17, true}), 0U);
  EXPECT_EQ(fold_constants(graph_), 21U);
}

TEST_F(PassTest, ShareDuplicateWeights) {
  const Value x = input("x", Shape{2});
  const Value a = weight("a", {2}, {1, 2});
  const Value b = weight("b", {2}, {1, 2});
  const Value c = weight("c", {2}, {1, 3});
  output(b_.add(b_.mul(b_.add(x, a), b), c), "y");
  EXPECT_EQ(
      after(share_duplicate_weights, 1),
      "x: float32 (2,)\nAdd = Add(x, a)\nMul = Mul(Add, a)\ny = Add(Mul, c)\n-> y: float32 (2,)\n");
}

TEST_F(PassTest, RemoveDeadNodes) {
  const Value x = input("x", Shape{2});
  b_.unary("Exp", b_.unary("Relu", x));
  output(b_.unary("Tanh", x), "y");
  EXPECT_EQ(after(remove_dead_nodes, 2), "x: float32 (2,)\ny = Tanh(x)\n-> y: float32 (2,)\n");
}

// Adds a normalisation with scale (2, 3), offset (1, 1), mean (0, 1), variance (4, 1) and epsilon
// 0.
Value norm(onnx::Builder& b, Value x, const std::vector<Value>& stats) {
  return onnx::batch_normalization(b, x, stats[0], stats[1], stats[2], stats[3], 0);
}

class FoldBatchNormTest : public PassTest {
 protected:
  std::vector<Value> stats() {
    return {weight("gamma", {2}, {2, 3}), weight("beta", {2}, {1, 1}), weight("mean", {2}, {0, 1}),
            weight("var", {2}, {4, 1})};
  }
};

TEST_F(FoldBatchNormTest, IntoConvWithoutBias) {
  const Value w = weight("w", {2, 1, 1}, {10, 20});
  const Value y =
      b_.emit("Conv", {input("x", Shape{1, 1, 5}), w}, {}, {DType::kFloat32, Shape{1, 2, 5}});
  output(norm(b_, y, stats()), "out");
  EXPECT_EQ(after(fold_batch_norm, 1),
            "x: float32 (1, 1, 5)\nout = Conv(x, w, beta)\n-> out: float32 (1, 2, 5)\n");
  EXPECT_EQ(read_doubles(*graph_.constant(w)), (std::vector<double>{10, 60}));
  EXPECT_EQ(read_doubles(*graph_.constant(graph_.main.nodes[0].inputs[2])),
            (std::vector<double>{1, -2}));
}

TEST_F(FoldBatchNormTest, IntoGemmWithBias) {
  const Value w = weight("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  const Value bias = weight("bias", {2}, {1, 1});
  const Value y = b_.emit("Gemm", {input("x", Shape{1, 3}), w, bias}, {{"transB", 1}},
                          {DType::kFloat32, Shape{1, 2}});
  output(norm(b_, y, stats()), "out");
  EXPECT_EQ(after(fold_batch_norm, 1),
            "x: float32 (1, 3)\nout = Gemm(x, w, bias) transB=1\n-> out: float32 (1, 2)\n");
  EXPECT_EQ(read_doubles(*graph_.constant(w)), (std::vector<double>{1, 2, 3, 12, 15, 18}));
  EXPECT_EQ(read_doubles(*graph_.constant(bias)), (std::vector<double>{2, 1}));
}

TEST_F(FoldBatchNormTest, IntoConvTransposeAlongTheSecondAxis) {
  const Value w = weight("w", {1, 2, 2}, {1, 2, 3, 4});
  const Value y = b_.emit("ConvTranspose", {input("x", Shape{1, 1, 5}), w}, {},
                          {DType::kFloat32, Shape{1, 2, 6}});
  output(norm(b_, y, stats()), "out");
  EXPECT_EQ(fold_batch_norm(graph_), 1U);
  EXPECT_EQ(read_doubles(*graph_.constant(w)), (std::vector<double>{1, 2, 9, 12}));
}

TEST_F(FoldBatchNormTest, NotWhereTheConvolutionIsUsedOtherwise) {
  const Value w = weight("w", {2, 1, 1}, {10, 20});
  const Value x = input("x", Shape{1, 1, 5});
  const Value y = b_.emit("Conv", {x, w}, {}, {DType::kFloat32, Shape{1, 2, 5}});
  output(y, "conv");
  output(norm(b_, y, stats()), "out");
  EXPECT_EQ(fold_batch_norm(graph_), 0U);
}

TEST_F(FoldBatchNormTest, NotWhereTheWeightIsShared) {
  const Value w = weight("w", {2, 1, 1}, {10, 20});
  const Value x = input("x", Shape{1, 1, 5});
  const Value y = b_.emit("Conv", {x, w}, {}, {DType::kFloat32, Shape{1, 2, 5}});
  const Value z = b_.emit("Conv", {x, w}, {}, {DType::kFloat32, Shape{1, 2, 5}});
  output(b_.add(norm(b_, y, stats()), z), "out");
  EXPECT_EQ(fold_batch_norm(graph_), 0U);
}

TEST_F(FoldBatchNormTest, NotWhereTheScaleIsInfinite) {
  const Value w = weight("w", {2, 1, 1}, {10, 20});
  const Value y =
      b_.emit("Conv", {input("x", Shape{1, 1, 5}), w}, {}, {DType::kFloat32, Shape{1, 2, 5}});
  auto zero = stats();
  zero[3] = weight("zero", {2}, {0, 1});
  output(norm(b_, y, zero), "out");
  EXPECT_EQ(fold_batch_norm(graph_), 0U);
}

class SliceBeforeConcatTest : public PassTest {
 protected:
  // Parts of 3, 4 and a free number of rows; rows `start` to `end` of all of them.
  std::string sliced(std::int64_t start, const Dim& end, std::size_t changes) {
    DimArena arena;
    const Value joined = b_.concat(
        {input("a", Shape{3, 2}), input("b", Shape{4, 2}), input("c", Shape{arena.symbol("n"), 2})},
        0);
    output(onnx::slice(b_, joined, {{0, start, end, 1}},
                       Shape{end.is_constant() && end.value() < 100 ? end - start : Dim(1), 2}),
           "y");
    EXPECT_EQ(slice_before_concat(graph_), changes);
    const auto& slice = graph_.main.nodes.back();
    std::string text = graph_.name_of(slice.inputs[0]);
    for (const std::size_t i : {1, 2}) {
      text += ' ' + std::to_string(read_ints(*graph_.constant(slice.inputs[i]))[0]);
    }
    return text;
  }
};

TEST_F(SliceBeforeConcatTest, FirstPart) { EXPECT_EQ(sliced(0, 3, 1), "a 0 3"); }
TEST_F(SliceBeforeConcatTest, SecondPart) { EXPECT_EQ(sliced(4, 7, 1), "b 1 4"); }
TEST_F(SliceBeforeConcatTest, NotAcrossParts) { EXPECT_EQ(sliced(2, 4, 0), "Concat 2 4"); }
TEST_F(SliceBeforeConcatTest, NotBehindWhatIsKnown) { EXPECT_EQ(sliced(7, 8, 0), "Concat 7 8"); }

class MergeResizesTest : public PassTest {
 protected:
  Value grown(Value x, const Dim& high, const Dim& wide, const char* mode = "nearest") {
    return onnx::resize(b_, x, {high, wide}, mode, onnx::ResizeCoordinates::kAsymmetric);
  }
};

TEST_F(MergeResizesTest, AlongTwoAxes) {
  output(grown(grown(input("x", Shape{1, 1, 2, 3}), 2, 9), 4, 9), "y");
  EXPECT_EQ(merge_resizes(graph_), 1U);
  const auto& last = graph_.main.nodes.back();
  EXPECT_EQ(graph_.name_of(last.inputs[0]), "x");
  EXPECT_EQ(read_doubles(*graph_.constant(last.inputs[2])), (std::vector<double>{1, 1, 2, 3}));
}

TEST_F(MergeResizesTest, NotWhereTheFirstIsUsedOtherwise) {
  const Value first = grown(input("x", Shape{1, 1, 2, 3}), 2, 6);
  output(grown(first, 4, 6), "y");
  output(b_.unary("Relu", first), "z");
  EXPECT_EQ(merge_resizes(graph_), 0U);
}

TEST_F(MergeResizesTest, NotLinearOnes) {
  output(grown(grown(input("x", Shape{1, 1, 2, 3}), 2, 6, "linear"), 4, 6), "y");
  EXPECT_EQ(merge_resizes(graph_), 0U);
}

TEST_F(PassTest, PipelineKnowsItsPasses) {
  output(b_.unary("Relu", input("x", Shape{2})), "y");
  EXPECT_EQ(error_text([&] { check_names({"fold_everything"}); }),
            "there is no pass \"fold_everything\"\n"
            "hint: the passes are remove_identities, fold_constants, slice_before_concat, "
            "merge_resizes, merge_reshapes, merge_casts, name_depth_to_space, merge_bounds, "
            "name_hard_activations, fold_batch_norm, "
            "share_duplicate_weights, share_duplicate_nodes, slices_to_split or "
            "remove_dead_nodes");
  EXPECT_EQ(run_pipeline(graph_, {"fold_constants"}).size(), pipeline().size() - 1);
}

}  // namespace
}  // namespace mx2onnx::passes
