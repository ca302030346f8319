// Small graphs for tests of passes.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "onnx/builder.h"
#include "onnx/check.h"
#include "onnx/text.h"
#include "passes/pass.h"

namespace mx2onnx::passes {

class PassTest : public testing::Test {
 protected:
  onnx::Value input(const std::string& name, const Shape& shape, DType dtype = DType::kFloat32) {
    return b_.add_input(name, {dtype, shape});
  }
  onnx::Value weight(const std::string& name, std::vector<std::int64_t> dims,
                     std::vector<float> values) {
    return b_.add_parameter(name, make_tensor(std::move(dims), values));
  }
  onnx::Value number(double value) { return b_.scalar(DType::kFloat32, value); }
  void output(onnx::Value value, const std::string& name) {
    b_.begin_node(name);
    graph_.main.outputs.push_back(b_.name_output(value, name));
  }
  // The text after a pass that has to leave a well-formed graph.
  std::string after(std::size_t (*pass)(onnx::Graph&, const PassOptions&), std::size_t changes) {
    EXPECT_EQ(pass(graph_, {17, false}), changes);
    onnx::check_graph(graph_);
    return onnx::to_text(graph_);
  }

  onnx::Graph graph_;
  onnx::Builder b_{graph_, 17};
};

}  // namespace mx2onnx::passes
