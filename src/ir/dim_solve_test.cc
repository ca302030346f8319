#include "ir/dim_solve.h"

#include <gtest/gtest.h>

namespace mx2onnx {
namespace {

class DimSolveTest : public testing::Test {
 protected:
  DimArena arena_;
  Dim n_ = arena_.symbol("N");
  Dim h_ = arena_.symbol("H");
  Dim w_ = arena_.symbol("W");

  static void expect_choice(const std::optional<SizeSolution>& found, std::int64_t size,
                            std::int64_t lowest, std::int64_t highest) {
    ASSERT_TRUE(found);
    EXPECT_EQ(found->atom->name, "H");
    EXPECT_EQ(found->multiple, 0);
    EXPECT_EQ(found->size, Dim(size));
    EXPECT_EQ(found->lowest, lowest);
    EXPECT_EQ(found->highest, highest);
  }
};

TEST_F(DimSolveTest, SolvesWhatIsExact) {
  expect_choice(solve_size(h_ * 2 + 1, 7), 3, 3, 3);
  expect_choice(solve_size(7, h_ * 2 + 1), 3, 3, 3);
  EXPECT_FALSE(solve_size(h_ * 2, 7));
  EXPECT_FALSE(solve_size(h_ + 8, 7));
  const auto other = solve_size(n_, h_ * w_);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->atom->name, "N");
  EXPECT_EQ(other->size, h_ * w_);
  EXPECT_FALSE(solve_size(h_, h_ + 1));
  EXPECT_FALSE(solve_size(h_, floor_div(h_ + 1, 2)));
}

TEST_F(DimSolveTest, TakesTheRoundestOfARange) {
  expect_choice(solve_size(floor_div(h_ + 7, 8), 16), 128, 121, 128);
  expect_choice(solve_size(16, floor_div(h_ + 7, 8)), 128, 121, 128);
  expect_choice(solve_size(floor_div(h_, 32), 7), 224, 224, 255);
  expect_choice(solve_size(floor_div(h_ - 43, 256), 1), 299, 299, 554);
  expect_choice(solve_size(floor_div(h_ - 1, 4) + 1, 1), 4, 1, 4);
  expect_choice(solve_size(max(floor_div(h_, 2), 5), 9), 18, 18, 19);
  EXPECT_FALSE(solve_size(floor_div(h_, 2) * 3, 10));
  EXPECT_FALSE(solve_size(min(floor_div(h_, 2), 5), 9));
}

TEST_F(DimSolveTest, TakesASquareWhereNothingTellsTheSidesApart) {
  expect_choice(solve_size(floor_div(h_, 32) * floor_div(w_, 32) * 512, 25088), 224, 224, 255);
  EXPECT_FALSE(solve_size(floor_div(h_, 32) * floor_div(w_, 32), 12));
  EXPECT_FALSE(solve_size(floor_div(h_, 32) * floor_div(w_, 16), 49));
  EXPECT_FALSE(solve_size(n_ * floor_div(h_, 32), 49)) << "a batch is no side of an image";
  EXPECT_FALSE(solve_size(floor_div(n_, 2) * floor_div(h_, 2) * floor_div(w_, 2), 8));
}

TEST_F(DimSolveTest, TakesASquareWhereTheNamesAreThoseOfSides) {
  const Dim height = arena_.symbol("image_height");
  const Dim width = arena_.symbol("image_width");
  const auto found = solve_size(height * width * 8, 6272);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, Dim(28));
  EXPECT_EQ(found->lowest, found->highest);
  EXPECT_FALSE(solve_size(height * width, 12));
  EXPECT_FALSE(solve_size(h_ * w_, 784));
  EXPECT_FALSE(solve_size(arena_.symbol("width") * height, 784));
}

TEST_F(DimSolveTest, SolvesForWhatOneHasMore) {
  const Dim m = arena_.symbol("M");
  const auto found = solve_size(h_ + n_, h_ + m);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->atom->name, "N");
  EXPECT_EQ(found->size, m);
  EXPECT_FALSE(solve_size(h_ * n_ + w_, h_ * m + n_ * 2)) << "a size would be a difference";
}

TEST_F(DimSolveTest, TriesSizesOfTwoExpressions) {
  // Two slices of one axis that are joined, as SlowFast has them.
  const Dim fast = floor_div(min(h_, 32) + 3, 4);
  expect_choice(solve_size(max(min(h_, 40) - 32, 0), fast), 40, 40, 2048);
  EXPECT_FALSE(solve_size(floor_div(h_ + 1, 2), h_)) << "1 is so by chance";
}

TEST_F(DimSolveTest, LeavesOutACommonFactor) {
  expect_choice(solve_size(n_ * h_, n_ * 4), 4, 4, 4);
  const auto other = solve_size(n_ * h_ * 2, n_ * w_ * 2);
  ASSERT_TRUE(other);
  const auto rows = solve_size(n_ * 4, h_ * 4);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size, h_);
  EXPECT_FALSE(solve_size(n_ * h_ + 1, n_ * 4));
  EXPECT_FALSE(solve_size(n_ * h_, n_ * n_ * 4 + h_));
}

TEST_F(DimSolveTest, FindsTheCondition) {
  const Dim a = floor_div(h_ + 31, 32) * 2;
  const Dim b = floor_div(h_ + 15, 16);
  const auto found = solve_size(a, b);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->symbol->name, "H");
  EXPECT_EQ(found->multiple, 32);
  EXPECT_EQ(found->broadcasts_up_to, 16) << "1 and 2";
  EXPECT_EQ(atom_text(*found->atom), "(H + 15)//16");
  EXPECT_EQ(found->size, a);
  EXPECT_FALSE(solve_size(floor_div(h_, 2), floor_div(h_, 2) + 1));
  EXPECT_FALSE(solve_size(floor_div(h_, 2), floor_div(w_, 2)));
}

TEST_F(DimSolveTest, WhatIsAssumedHoldsFromThenOn) {
  const Dim fine = floor_div(h_ + 15, 16);
  const Dim coarse = floor_div(h_ + 31, 32);
  arena_.assume(*fine.expr()->terms[0].atoms[0], coarse * 2);
  EXPECT_EQ(floor_div(h_ + 15, 16), coarse * 2);
  EXPECT_EQ(floor_div(h_ + 15, 16) + 1, coarse * 2 + 1);
  const Dim coarsest = floor_div(h_ + 63, 64);
  arena_.assume(*coarse.expr()->terms[0].atoms[0], coarsest * 2);
  EXPECT_EQ(floor_div(h_ + 15, 16), coarsest * 4);
}

TEST_F(DimSolveTest, TakesTheSizeFromWhichAllWindowsFit) {
  const Dim height = arena_.symbol("height");
  const Dim width = arena_.symbol("width");
  // Below 8 there are products of negative sizes, one of which is 1 as well.
  const auto found = solve_size((height - 7) * (width - 7) * 5, 5);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, Dim(8));
  EXPECT_EQ(found->lowest, found->highest);
  EXPECT_EQ(solve_size((height - 14) * (width - 14), 1)->size, Dim(15));
  EXPECT_FALSE(solve_size((height - 7) * (width - 7) * 5, 10));
}

TEST_F(DimSolveTest, TakesTheNumberThatMakesADivisionExact) {
  const auto found = solve_size(floor_div(n_ * w_ * h_, 12), n_ * w_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->atom->name, "H");
  EXPECT_EQ(found->size, Dim(12));
  EXPECT_EQ(solve_size(n_ * w_, floor_div(n_ * w_ * h_, 12))->size, Dim(12));
  EXPECT_FALSE(solve_size(floor_div(n_ * w_ + 1, 12), h_ * h_));
}

TEST_F(DimSolveTest, FindsSizesWhosePowersAreEqual) {
  const auto found = solve_size(n_ * h_ * h_, n_ * w_ * w_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, found->atom->name == "H" ? w_ : h_);
  EXPECT_FALSE(solve_size(h_ * h_, w_ * w_ * w_));
  EXPECT_FALSE(solve_size(h_ * h_ * 2, w_ * w_));
}

TEST_F(DimSolveTest, DoesNotDivideByZero) {
  EXPECT_FALSE(solve_size(floor_div(n_ * 100, h_ - 1), 5));
  EXPECT_FALSE(solve_size(floor_div(h_ * 100 + 1, h_ - 1), 5));
  EXPECT_FALSE(solve_size(floor_div(h_ * 100 + 1, h_ - 1), floor_div(h_, 2)));
}

TEST_F(DimSolveTest, SubstitutesEverywhere) {
  const DimAtom& h = *h_.expr()->terms[0].atoms[0];
  const DimAtom& n = *n_.expr()->terms[0].atoms[0];
  EXPECT_EQ(substitute(floor_div(h_ + 7, 8) * h_ + n_, h, 9), n_ + 18);
  EXPECT_EQ(substitute(max(h_, n_), n, h_ + 1), h_ + 1);
  EXPECT_EQ(substitute(Dim(3), h, 9), Dim(3));
  EXPECT_FALSE(substitute(Dim(), h, 9).known());
}

}  // namespace
}  // namespace mx2onnx
