// See subgraph.h.
#include "ops/subgraph.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {

using onnx::Builder;
using onnx::Value;

namespace {

std::vector<std::string> numbered(std::string_view name, std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", name, i));
  return names;
}

}  // namespace

std::vector<std::string> subgraph_outputs(std::int64_t count) {
  return count == 1 ? std::vector<std::string>{"output"} : numbered("output", count);
}

std::vector<InputDef> subgraph_inputs(std::int64_t count) {
  std::vector<InputDef> inputs;
  for (auto& name : numbered("data", count)) inputs.push_back({name, InputRole::kData});
  return inputs;
}

void check_locations(std::string_view name, const Tuple& locations, std::int64_t limit,
                     std::vector<AttrProblem>& problems) {
  for (const auto location : locations) {
    if (location >= 0 && location < limit) continue;
    problems.push_back({std::string(name),
                        fmt::format("expected locations of {} inputs, got {}", limit, location),
                        ""});
    return;
  }
}

void check_count(std::string_view name, std::int64_t found, std::int64_t expected,
                 std::vector<AttrProblem>& problems) {
  if (found == expected) return;
  problems.push_back(
      {std::string(name), fmt::format("expected {} of them, got {}", expected, found), ""});
}

Value BodyScope::add_input(std::string_view name, TensorType type) {
  const std::string full = fmt::format("{}/{}", b_.node_name(), name);
  return b_.add_input(b_.graph().names.unique(full), std::move(type));
}

std::shared_ptr<onnx::Body> BodyScope::finish(const std::vector<Value>& outputs) {
  std::set<std::uint32_t> made;
  for (const auto& node : body_->nodes) {
    for (const Value output : node.outputs) made.insert(output.id);
  }
  for (const Value output : outputs) {
    body_->outputs.push_back(made.erase(output.id) > 0 ? output : b_.identity(output));
  }
  b_.end_body();
  return body_;
}

Value to_condition(Builder& b, Value x) {
  const Value flag = b.cast(x, DType::kBool);
  return b.shape(flag).rank() == 0 ? flag : onnx::reshape(b, flag, Shape(std::vector<Dim>{}));
}

void expect_condition(const BodyTypes& condition) {
  if (condition.outputs.size() != 1) {
    fail(ErrorCode::kModel, fmt::format("the condition: expected a subgraph of 1 output, found {}",
                                        condition.outputs.size()));
  }
  const Shape& shape = condition.outputs[0].shape;
  for (std::size_t axis = 0; shape.known_rank() && axis < shape.rank(); ++axis) {
    if (shape[axis].is_constant() && shape[axis].value() != 1) {
      fail(ErrorCode::kModel,
           fmt::format("the condition: expected one element, found shape {}", shape.to_string()));
    }
  }
}

void expect_outputs(const BodyTypes& body, std::size_t count) {
  if (body.outputs.size() == count) return;
  fail(ErrorCode::kModel, fmt::format("num_outputs: expected {}, as the subgraph has, found {}",
                                      body.outputs.size(), count));
}

void set_input(InferContext& c, std::size_t i, const TensorType& type) {
  c.set_input_shape(i, type.shape);
  c.set_input_dtype(i, type.dtype);
}

void set_output(InferContext& c, std::size_t i, const TensorType& type) {
  c.set_output_shape(i, type.shape);
  c.set_output_dtype(i, type.dtype);
}

}  // namespace mx2onnx
