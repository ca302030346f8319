// Half precision on small graphs, before and after.
#include "passes/half_precision.h"

#include <gtest/gtest.h>

#include <limits>

#include "onnx/builder.h"
#include "onnx/check.h"
#include "onnx/text.h"
#include "passes/half_rules.h"

namespace mx2onnx::passes {
namespace {

using onnx::Value;

class HalfPrecisionTest : public testing::Test {
 protected:
  Value input(const std::string& name, const Shape& shape, DType dtype = DType::kFloat32) {
    return b_.add_input(name, {dtype, shape});
  }
  Value weight(const std::string& name, std::vector<std::int64_t> dims, float value = 1) {
    std::int64_t count = 1;
    for (const auto dim : dims) count *= dim;
    return b_.add_parameter(
        name,
        make_tensor(std::move(dims), std::vector<float>(static_cast<std::size_t>(count), value)));
  }
  Value product(Value x, const std::string& name) {
    return b_.emit("MatMul", {x, weight(name, {2, 2})}, {}, {DType::kFloat32, Shape{2, 2}});
  }
  void output(Value value, const std::string& name) {
    b_.begin_node(name);
    graph_.main.outputs.push_back(b_.name_output(value, name));
  }
  std::string converted(HalfOptions options = {}) {
    options.opset = 17;
    result_ = to_half_precision(graph_, options);
    onnx::check_graph(graph_);
    return onnx::to_text(graph_);
  }

  onnx::Graph graph_;
  onnx::Builder b_{graph_, 17};
  HalfResult result_;
};

TEST_F(HalfPrecisionTest, ProductsAreHalfAndPortsStay) {
  output(b_.unary("Relu", product(input("x", Shape{2, 2}), "w")), "y");
  EXPECT_EQ(converted(),
            "x: float32 (2, 2)\nx_float16 = Cast(x) to=10\nMatMul = MatMul(x_float16, w)\n"
            "MatMul_float32 = Cast(MatMul) to=1\ny = Relu(MatMul_float32)\n"
            "-> y: float32 (2, 2)\n");
  EXPECT_EQ(result_.num_half, 1U);
  EXPECT_TRUE(result_.kept.empty());
}

TEST_F(HalfPrecisionTest, PortsFollowWhereThatIsAskedFor) {
  output(b_.unary("Relu", product(input("x", Shape{2, 2}), "w")), "y");
  EXPECT_EQ(converted({.ports = true}),
            "x: float16 (2, 2)\nMatMul = MatMul(x, w)\ny = Relu(MatMul)\n-> y: float16 (2, 2)\n");
}

TEST_F(HalfPrecisionTest, WhatLosesTooMuchStays) {
  const Value exponential = b_.unary("Exp", product(input("x", Shape{2, 2}), "w"));
  output(product(exponential, "v"), "y");
  EXPECT_EQ(converted(),
            "x: float32 (2, 2)\nx_float16 = Cast(x) to=10\nMatMul = MatMul(x_float16, w)\n"
            "MatMul_float32 = Cast(MatMul) to=1\nExp = Exp(MatMul_float32)\n"
            "Exp_float16 = Cast(Exp) to=10\ny_float16 = MatMul(Exp_float16, v)\n"
            "y = Cast(y_float16) to=1\n-> y: float32 (2, 2)\n");
  ASSERT_EQ(result_.kept.size(), 1U);
  EXPECT_EQ(result_.kept[0].op_type, "Exp");
  EXPECT_EQ(result_.kept[0].reason, "its results overflow or vanish");
}

TEST_F(HalfPrecisionTest, WhatBecomesPositionsStays) {
  const Value scaled = b_.mul(product(input("x", Shape{2, 2}), "w"), weight("s", {2, 2}));
  output(b_.emit("Floor", {scaled}, {}, {DType::kFloat32, Shape{2, 2}}), "y");
  EXPECT_NE(converted().find("Mul = Mul(MatMul_float32, s)"), std::string::npos);
}

TEST_F(HalfPrecisionTest, NumbersThatHalfDoesNotHoldKeepTheirNode) {
  const Value x = product(input("x", Shape{2, 2}), "w");
  const Value large = b_.add(x, weight("large", {1}, 1e5F));
  const Value small = b_.add(x, weight("small", {1}, 1e-6F));
  const Value plain = b_.add(x, weight("plain", {1}, 4));
  output(b_.add(b_.add(large, small), product(plain, "v")), "y");
  const std::string text = converted();
  EXPECT_NE(text.find("Add(MatMul_float32, large)"), std::string::npos) << text;
  EXPECT_NE(text.find("Add(MatMul_float32, small)"), std::string::npos) << text;
  EXPECT_NE(text.find("Add(MatMul, plain)"), std::string::npos) << text;
  ASSERT_FALSE(result_.kept.empty());
  EXPECT_EQ(result_.kept[0].reason, "has a constant that float16 does not hold");
}

TEST_F(HalfPrecisionTest, WhatIsNamedStays) {
  output(product(product(input("x", Shape{2, 2}), "w"), "v"), "y");
  const std::string text = converted({.keep = {"y", "nothing*"}});
  EXPECT_NE(text.find("y = MatMul(MatMul_float32, v)"), std::string::npos) << text;
  EXPECT_EQ(result_.unmatched, (std::vector<std::string>{"nothing*"}));
}

TEST_F(HalfPrecisionTest, Bfloat16IsStored) {
  const Value x = input("x", Shape{2, 32});
  output(b_.emit("MatMul", {x, weight("w", {32, 32})}, {}, {DType::kFloat32, Shape{2, 32}}), "y");
  EXPECT_EQ(converted({.half = DType::kBfloat16}),
            "x: float32 (2, 32)\nw_float32 = Cast(w) to=1\ny = MatMul(x, w_float32)\n"
            "-> y: float32 (2, 32)\n");
}

TEST(HalfWeights, AreRoundedClampedAndCounted) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> values(40'000, 1.0F);
  const std::vector<float> odd = {70'000, -1e30F, kInfinity, -kInfinity, 65504,
                                  1e-5F,  1e-12F, -0.0F,     0x1p-14F};
  std::copy(odd.begin(), odd.end(), values.begin() + 20'000);
  auto losses = std::make_shared<RoundingLosses>();
  const Tensor half = rounded_to(DType::kFloat16, make_tensor({40'000}, values), losses);
  ASSERT_EQ(half.size_bytes(), 80'000U);
  for (int again = 0; again < 2; ++again) {
    const auto rounded = read_doubles(half);
    ASSERT_EQ(rounded.size(), values.size());
    constexpr double kWide = std::numeric_limits<double>::infinity();
    const double small{half_to_float(float_to_half(1e-5F))};
    const std::vector<double> expected = {65504, -65504, kWide, -kWide, 65504,
                                          small, 0,      0,     0x1p-14};
    EXPECT_EQ(
        std::vector<double>(rounded.begin() + 20'000,
                            rounded.begin() + 20'000 + static_cast<std::ptrdiff_t>(odd.size())),
        expected);
    EXPECT_EQ(rounded.back(), 1);
    EXPECT_EQ(losses->clamped, 2U);
    EXPECT_EQ(losses->subnormal, 2U);
  }
}

}  // namespace
}  // namespace mx2onnx::passes
