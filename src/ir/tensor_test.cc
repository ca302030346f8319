#include "ir/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mx2onnx {
namespace {

TEST(DTypeTest, HalfPrecisionRoundsToNearestEven) {
  EXPECT_EQ(float_to_half(1.0F), 0x3c00);
  EXPECT_EQ(float_to_half(65504.0F), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0F), 0x7c00);
  EXPECT_EQ(float_to_half(1.0F + 0x1p-11F), 0x3c00);      // half way: to even
  EXPECT_EQ(float_to_half(1.0F + 3 * 0x1p-11F), 0x3c02);  // half way: to even
  EXPECT_EQ(float_to_half(0x1p-24F), 0x0001);
  EXPECT_EQ(float_to_half(-0.0F), 0x8000);
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(std::nanf("")))));
}

TEST(DTypeTest, EveryHalfSurvivesTheWayThere) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (!std::isnan(value)) {
      EXPECT_EQ(float_to_half(value), half);
    }
  }
}

TEST(DTypeTest, Bfloat16) {
  EXPECT_EQ(float_to_bfloat16(1.0F), 0x3f80);
  EXPECT_EQ(float_to_bfloat16(1.0F + 0x1p-8F), 0x3f80);      // half way: to even
  EXPECT_EQ(float_to_bfloat16(1.0F + 3 * 0x1p-8F), 0x3f82);  // half way: to even
  EXPECT_EQ(bfloat16_to_float(0x4049), 3.140625F);
}

TEST(DTypeTest, NamesAndFlags) {
  EXPECT_EQ(dtype_from_name("float16"), DType::kFloat16);
  EXPECT_EQ(dtype_from_name("float"), std::nullopt);
  EXPECT_EQ(dtype_from_flag(12), DType::kBfloat16);
  EXPECT_EQ(dtype_from_flag(13), std::nullopt);
  EXPECT_EQ(dtype_from_flag(-1), std::nullopt);
}

TEST(TensorTest, ConversionsAreDefinedForEveryValue) {
  const double values[] = {1.9, -1.9, std::nan(""), 1e300, -1e300};
  const auto tensor = make_tensor_as(DType::kInt64, {5}, values);
  EXPECT_EQ(read_ints(tensor),
            (std::vector<std::int64_t>{1, -1, 0, std::numeric_limits<std::int64_t>::max(),
                                       std::numeric_limits<std::int64_t>::min()}));
}

TEST(TensorTest, ReadsEveryType) {
  for (std::int8_t i = 0; i < static_cast<std::int8_t>(DType::kUnknown); ++i) {
    const double values[] = {0, 1};
    const auto tensor = make_tensor_as(static_cast<DType>(i), {2}, values);
    EXPECT_EQ(tensor.size_bytes(), 2 * dtype_size(tensor.dtype));
    EXPECT_EQ(read_doubles(tensor), (std::vector<double>{0, 1}));
  }
}

TEST(TensorTest, ComputedDataIsMadeWhenAskedFor) {
  int runs = 0;
  const auto data = std::make_shared<ComputedData>(4, [&](std::size_t offset, auto to) {
    ++runs;
    std::memcpy(to.data(), "abcd" + offset, to.size());
  });
  const Tensor tensor{DType::kUint8, {4}, data};
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(read_ints(tensor), (std::vector<std::int64_t>{'a', 'b', 'c', 'd'}));
  EXPECT_EQ(runs, 1);
}

TEST(ShapeTest, CountAndText) {
  DimArena arena;
  const Shape shape{arena.symbol("N"), 3, Dim()};
  EXPECT_EQ(shape.to_string(), "(N, 3, ?)");
  EXPECT_EQ(Shape{5}.to_string(), "(5,)");
  EXPECT_EQ(Shape(std::vector<Dim>{}).to_string(), "()");
  EXPECT_EQ(Shape().to_string(), "unknown");
  EXPECT_EQ(shape.count(0, 2), arena.symbol("N") * 3);
  EXPECT_FALSE(shape.known());
  EXPECT_FALSE(shape.is_static());
}

TEST(ShapeTest, ResolveAxis) {
  EXPECT_EQ(resolve_axis(-1, 3), 2U);
  EXPECT_EQ(resolve_axis(0, 3), 0U);
  EXPECT_EQ(resolve_axis(3, 3), std::nullopt);
  EXPECT_EQ(resolve_axis(-4, 3), std::nullopt);
  EXPECT_EQ(resolve_axis(0, 0), std::nullopt);
}

}  // namespace
}  // namespace mx2onnx
