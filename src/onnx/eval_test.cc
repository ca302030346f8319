#include "onnx/eval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "onnx/schema.h"

namespace mx2onnx::onnx {
namespace {

std::optional<Tensor> run(const std::string& op, const std::vector<Tensor>& inputs,
                          Attributes attrs = {}) {
  const Node node{op, "", "", {}, {}, std::move(attrs)};
  std::vector<const Tensor*> pointers;
  for (const auto& input : inputs) pointers.push_back(&input);
  return evaluate(node, pointers);
}

const Tensor kMatrix = make_tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});

TEST(EvalTest, MovesData) {
  const auto transposed = run("Transpose", {kMatrix}, {{"perm", std::vector<std::int64_t>{1, 0}}});
  EXPECT_EQ(transposed->dims, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(read_doubles(*transposed), (std::vector<double>{1, 4, 2, 5, 3, 6}));
  const auto joined = run("Concat", {kMatrix, kMatrix}, {{"axis", 1}});
  EXPECT_EQ(read_doubles(*joined), (std::vector<double>{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  const auto expanded =
      run("Expand", {make_tensor<float>({1, 2}, {1, 2}), make_tensor<std::int64_t>({2}, {2, 2})});
  EXPECT_EQ(read_doubles(*expanded), (std::vector<double>{1, 2, 1, 2}));
  const auto flat = run("Reshape", {kMatrix, make_tensor<std::int64_t>({2}, {0, -1})});
  EXPECT_EQ(flat->dims, (std::vector<std::int64_t>{2, 3}));
  const auto picked = run("Gather", {make_tensor<std::int64_t>({3}, {7, 8, 9}),
                                     make_tensor<std::int64_t>({2}, {-1, 0})});
  EXPECT_EQ(read_ints(*picked), (std::vector<std::int64_t>{9, 7}));
}

std::optional<Tensor> slice(const std::vector<std::int64_t>& starts,
                            const std::vector<std::int64_t>& ends,
                            const std::vector<std::int64_t>& axes,
                            const std::vector<std::int64_t>& steps) {
  const auto ints = [](const std::vector<std::int64_t>& values) {
    return make_tensor<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
  };
  return run("Slice", {kMatrix, ints(starts), ints(ends), ints(axes), ints(steps)});
}

TEST(EvalTest, Slices) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(read_doubles(*slice({1}, {kLast}, {1}, {1})), (std::vector<double>{2, 3, 5, 6}));
  EXPECT_EQ(read_doubles(*slice({-1, 0}, {2, 3}, {0, -1}, {1, 2})), (std::vector<double>{4, 6}));
  EXPECT_EQ(slice({2}, {1}, {1}, {1})->dims, (std::vector<std::int64_t>{2, 0}));
  EXPECT_EQ(slice({9}, {kLast}, {0}, {kLast})->dims, (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(read_doubles(*slice({0}, {kLast}, {1}, {kLast})), (std::vector<double>{1, 4}));
  EXPECT_FALSE(slice({2}, {0}, {1}, {-1}));
  EXPECT_FALSE(slice({0}, {1}, {2}, {1}));
}

TEST(EvalTest, LargeResultsAreMadeWhenAskedFor) {
  constexpr std::int64_t kRows = 700;
  constexpr std::int64_t kColumns = 500;
  std::vector<float> values(kRows * kColumns);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Tensor matrix = make_tensor<float>({kRows, kColumns}, values);
  const auto transposed = run("Transpose", {matrix}, {{"perm", std::vector<std::int64_t>{1, 0}}});
  EXPECT_FALSE(transposed->data->view().has_value());
  const auto numbers = read_doubles(*transposed);
  for (const std::int64_t row : {0, 1, 499}) {
    for (const std::int64_t column : {0, 1, 350, 699}) {
      EXPECT_EQ(numbers[static_cast<std::size_t>(row * kRows + column)],
                static_cast<double>(column * kColumns + row));
    }
  }
  const auto joined = run("Concat", {matrix, matrix}, {{"axis", 1}});
  EXPECT_FALSE(joined->data->view().has_value());
  EXPECT_EQ(read_doubles(*joined)[kColumns + 3], 3);
}

TEST(EvalTest, ArithmeticIsExact) {
  const auto third = run("Div", {make_tensor<float>({1}, {1}), make_tensor<float>({1}, {3})});
  EXPECT_EQ(static_cast<float>(read_doubles(*third)[0]), 1.0F / 3.0F);
  const auto sum =
      run("Add", {make_tensor<std::int64_t>({2}, {1, 2}), make_tensor<std::int64_t>({}, {5})});
  EXPECT_EQ(read_ints(*sum), (std::vector<std::int64_t>{6, 7}));
  const auto truth = run("Cast", {make_tensor<float>({3}, {0.5F, 0, NAN})},
                         {{"to", onnx_type_code(DType::kBool)}});
  EXPECT_EQ(read_ints(*truth), (std::vector<std::int64_t>{1, 0, 1}));
}

TEST(EvalTest, PositionsAndMasks) {
  const auto whole = [](std::int64_t value) { return make_tensor<std::int64_t>({}, {value}); };
  const auto range = run("Range", {whole(0), whole(5), whole(2)});
  EXPECT_EQ(read_ints(*range), (std::vector<std::int64_t>{0, 2, 4}));
  const auto column = run("Unsqueeze", {*range, make_tensor<std::int64_t>({1}, {-1})});
  EXPECT_EQ(column->dims, (std::vector<std::int64_t>{3, 1}));
  const auto mask = run("LessOrEqual", {*range, *column});
  EXPECT_EQ(mask->dims, (std::vector<std::int64_t>{3, 3}));
  EXPECT_EQ(read_doubles(*mask), (std::vector<double>{1, 0, 0, 1, 1, 0, 1, 1, 1}));
  EXPECT_EQ(read_doubles(*run("Not", {*mask})), (std::vector<double>{0, 1, 1, 0, 0, 1, 0, 0, 0}));
  const auto spread =
      run("Max", {make_tensor<float>({2, 1}, {1, 3}), make_tensor<float>({2}, {2, 0})});
  EXPECT_EQ(read_doubles(*spread), (std::vector<double>{2, 1, 3, 3}));
  const auto ids = run("Cast", {kMatrix}, {{"to", onnx_type_code(DType::kInt64)}});
  EXPECT_EQ(read_ints(*run("Clip", {*ids, whole(2), whole(4)})),
            (std::vector<std::int64_t>{2, 2, 3, 4, 4, 4}));
  EXPECT_EQ(run("Squeeze", {*column, make_tensor<std::int64_t>({1}, {1})})->dims,
            (std::vector<std::int64_t>{3}));
}

TEST(EvalTest, LeavesAloneWhatIsNotCertain) {
  EXPECT_EQ(run("Exp", {kMatrix}), std::nullopt);
  EXPECT_EQ(run("Add",
                {make_tensor<std::int64_t>({1}, {INT64_MAX}), make_tensor<std::int64_t>({1}, {1})}),
            std::nullopt);
  EXPECT_EQ(run("Div", {make_tensor<std::int64_t>({1}, {1}), make_tensor<std::int64_t>({1}, {0})}),
            std::nullopt);
  EXPECT_EQ(
      run("Cast", {make_tensor<float>({1}, {1e20F})}, {{"to", onnx_type_code(DType::kInt32)}}),
      std::nullopt);
  EXPECT_EQ(
      run("Gather", {make_tensor<std::int64_t>({1}, {7}), make_tensor<std::int64_t>({1}, {5})}),
      std::nullopt);
  // Of an empty tensor too, whose elements are never looked at.
  EXPECT_EQ(run("Pow", {make_tensor<float>({0}, {}), make_tensor<float>({0}, {})}), std::nullopt);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(run("Less", {kMatrix, make_tensor<float>({}, {nan})}), std::nullopt);
  EXPECT_EQ(run("Max", {kMatrix, make_tensor<float>({}, {nan})}), std::nullopt);
  EXPECT_EQ(run("Less", {kMatrix, make_tensor<float>({2}, {1, 2})}), std::nullopt);
  EXPECT_EQ(run("Squeeze", {kMatrix, make_tensor<std::int64_t>({1}, {0})}), std::nullopt);
  const Node node{"Add", "", "", {}, {}, {}};
  EXPECT_EQ(evaluate(node, {&kMatrix, nullptr}), std::nullopt);
}

}  // namespace
}  // namespace mx2onnx::onnx
