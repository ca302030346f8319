// What is spelled otherwise for some runtimes, before and after.
#include "passes/target_spellings.h"

#include <gtest/gtest.h>

#include "onnx/builder.h"
#include "onnx/check.h"
#include "onnx/text.h"

namespace mx2onnx::passes {
namespace {

using onnx::Value;

class SpellingTest : public testing::Test {
 protected:
  std::string after(std::size_t (*run)(onnx::Graph&), Value output, std::size_t changes) {
    b_.begin_node("y");
    graph_.main.outputs.push_back(b_.name_output(output, "y"));
    EXPECT_EQ(run(graph_), changes);
    onnx::check_graph(graph_);
    const std::string text = onnx::to_text(graph_);
    return text.substr(text.find('\n') + 1);
  }

  Value pool(std::vector<std::int64_t> pads, int count_include_pad, int ceil_mode) {
    const Value x = b_.add_input("x", {DType::kFloat32, Shape{1, 2, 5, 6}});
    b_.begin_node("pool");
    return b_.emit("AveragePool", {x},
                   {{"kernel_shape", std::vector<std::int64_t>{3, 3}},
                    {"pads", std::move(pads)},
                    {"count_include_pad", count_include_pad},
                    {"ceil_mode", ceil_mode}},
                   {DType::kFloat32, Shape{1, 2, 5, 6}});
  }

  onnx::Graph graph_;
  onnx::Builder b_{graph_, 17};
};

TEST_F(SpellingTest, PadBeforeAveragePool) {
  const std::string text = after(pad_before_average_pool, pool({0, 1, 2, 1}, 1, 0), 1);
  EXPECT_NE(text.find("= Pad(x, "), std::string::npos) << text;
  EXPECT_NE(text.find("kernel_shape=[3,3] ceil_mode=0"), std::string::npos) << text;
  EXPECT_EQ(text.find("pads="), std::string::npos) << text;
  EXPECT_EQ(graph_.type(graph_.main.nodes[0].outputs[0]).shape.to_string(), "(1, 2, 7, 8)");
}

TEST_F(SpellingTest, PaddingThatIsNotCountedStays) {
  after(pad_before_average_pool, pool({1, 1, 1, 1}, 0, 0), 0);
}

TEST_F(SpellingTest, WindowsThatAreRoundedUpStay) {
  after(pad_before_average_pool, pool({1, 1, 1, 1}, 1, 1), 0);
}

}  // namespace
}  // namespace mx2onnx::passes
