#include "ir/dim.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "support/error_text.h"

namespace mx2onnx {
namespace {

class DimTest : public testing::Test {
 protected:
  DimArena arena_;
  Dim n_ = arena_.symbol("N");
  Dim h_ = arena_.symbol("H");
  Dim w_ = arena_.symbol("W");

  static std::int64_t at(const Dim& dim, std::int64_t n, std::int64_t h, std::int64_t w) {
    return dim.evaluate([&](std::string_view name) {
      return name == "N" ? n : name == "H" ? h : w;
    });
  }
};

TEST_F(DimTest, NumbersComputeLikeNumbers) {
  EXPECT_EQ((Dim(3) + 4).value(), 7);
  EXPECT_EQ((Dim(3) * 4 - 5).value(), 7);
  EXPECT_EQ(floor_div(Dim(7), 2).value(), 3);
  EXPECT_EQ(floor_div(Dim(-7), 2).value(), -4);
  EXPECT_EQ(ceil_div(Dim(7), 2).value(), 4);
  EXPECT_EQ(min(Dim(2), 5).value(), 2);
  EXPECT_EQ(max(Dim(2), 5).value(), 5);
}

TEST_F(DimTest, UnknownSpreadsAndEqualsNothing) {
  EXPECT_FALSE((Dim() + 1).known());
  EXPECT_FALSE((n_ * Dim()).known());
  EXPECT_FALSE(Dim() == Dim());
  EXPECT_EQ((Dim() * 0).value(), 0);
}

TEST_F(DimTest, EqualExpressionsAreTheSame) {
  EXPECT_EQ(n_ + h_, h_ + n_);
  EXPECT_EQ((n_ + 1) * (h_ + 2), n_ * h_ + n_ * 2 + h_ + 2);
  EXPECT_EQ(n_ - n_, Dim(0));
  EXPECT_EQ(arena_.symbol("N"), n_);
  EXPECT_FALSE(n_ == h_);
  EXPECT_EQ(min(n_, h_), min(h_, n_));
  EXPECT_EQ(max(n_, 3), max(Dim(3), n_));
}

TEST_F(DimTest, DivisionsSimplify) {
  EXPECT_EQ(floor_div(n_ * 6 + 4, 2), n_ * 3 + 2);
  EXPECT_EQ(floor_div(n_ * h_ * 4, n_ * 2), h_ * 2);
  EXPECT_EQ(floor_div((h_ + 1) * (w_ + 2), h_ + 1), w_ + 2);
  EXPECT_EQ(floor_div(floor_div(h_, 2), 2), floor_div(h_, 4));
  // Two poolings of stride 2: (((H - 1)//2 + 1) - 1)//2 + 1.
  const Dim once = floor_div(h_ - 1, 2) + 1;
  EXPECT_EQ(floor_div(once - 1, 2) + 1, floor_div(h_ - 1, 4) + 1);
  EXPECT_EQ(floor_div(n_, n_), Dim(1));
  EXPECT_EQ(floor_div(n_ * 5, n_ * 2), Dim(2));
}

TEST_F(DimTest, SimplifiedDivisionsHaveTheRightValue) {
  const std::vector<Dim> dims = {floor_div(h_ * 3 + 7, 4), floor_div(floor_div(h_ + 5, 3) + 2, 4),
                                 floor_div(h_ * 4 + w_ * 6 + 9, 4), ceil_div(h_ - 2, 3),
                                 floor_div(n_ * h_ + w_, 5)};
  const auto expected = [](std::int64_t n, std::int64_t h, std::int64_t w) {
    return std::vector<std::int64_t>{(h * 3 + 7) / 4, ((h + 5) / 3 + 2) / 4,
                                     (h * 4 + w * 6 + 9) / 4, (h - 2 + 2) / 3, (n * h + w) / 5};
  };
  for (std::int64_t h = 2; h < 20; ++h) {
    for (std::int64_t w = 1; w < 8; ++w) {
      const auto values = expected(3, h, w);
      for (std::size_t i = 0; i < dims.size(); ++i)
        EXPECT_EQ(at(dims[i], 3, h, w), values[i]) << i << " " << h;
    }
  }
}

TEST_F(DimTest, ExpressionsThatWouldBeTooLongToWriteAreErrors) {
  Dim dim = n_;
  const auto square_often = [&] {
    for (int i = 0; i < 100; ++i) dim = floor_div(dim * dim + i, 7);
  };
  EXPECT_THROW(square_often(), Error);
}

TEST_F(DimTest, ExtremesAreDecidedWhereTheyCanBe) {
  EXPECT_EQ(max(n_ + 1, n_), n_ + 1);
  EXPECT_EQ(min(n_ * 2, n_ * 3), n_ * 2);
  EXPECT_EQ(max(n_, 0), n_);
  EXPECT_EQ(max(max(n_, h_), h_), max(n_, h_));
  EXPECT_EQ(min(n_, min(n_, h_)), min(n_, h_));
  EXPECT_TRUE(max(n_ - 3, 0).is_symbolic());
  EXPECT_EQ(at(max(n_ - 3, 0), 2, 0, 0), 0);
  EXPECT_TRUE(certainly_at_least(n_ + 2, 2));
  EXPECT_FALSE(certainly_at_least(n_, 1));
}

TEST_F(DimTest, TextIsReadable) {
  EXPECT_EQ(Dim(7).to_string(), "7");
  EXPECT_EQ(Dim().to_string(), "?");
  EXPECT_EQ(n_.to_string(), "N");
  EXPECT_EQ((n_ * 2 + 1).to_string(), "2*N + 1");
  EXPECT_EQ((n_ * h_ - 3).to_string(), "N*H - 3");
  EXPECT_EQ((floor_div(h_ - 1, 2) + 1).to_string(), "(H + 1)//2");
  EXPECT_EQ((floor_div(h_, 3) - 2).to_string(), "H//3 - 2");
  EXPECT_EQ((n_ * floor_div(h_, 2)).to_string(), "N*(H//2)");
  EXPECT_EQ(min(h_, w_).to_string(), "min(H, W)");
  EXPECT_EQ((n_ * -1).to_string(), "-N");
}

TEST_F(DimTest, SymbolName) {
  EXPECT_EQ(n_.symbol_name(), "N");
  EXPECT_EQ((n_ + 1).symbol_name(), "");
  EXPECT_EQ((n_ * 2).symbol_name(), "");
  EXPECT_EQ(Dim(3).symbol_name(), "");
}

TEST_F(DimTest, OverflowAndGrowthAreErrors) {
  EXPECT_EQ(error_text([] { Dim(INT64_MAX) + 1; }),
            "a size is too large: 9223372036854775807 + 1 passes 2305843009213693952");
  const auto grow = [&] {
    Dim dim = n_;
    for (int i = 0; i < 10; ++i) dim = dim * dim;
  };
  EXPECT_EQ(error_text(grow),
            "a size has become an expression of too many terms\n"
            "hint: give some of the free dimensions a number");
}

}  // namespace
}  // namespace mx2onnx
