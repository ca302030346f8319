// See subgraph.h.
#include "ops/control_flow/subgraph.h"

#include <fmt/format.h>

#include "base/error.h"
#include "onnx/shape_expr.h"

namespace mx2onnx {

std::vector<std::string> subgraph_outputs(std::int64_t count) {
  return count == 1 ? std::vector<std::string>{"output"} : numbered("output", count);
}

void check_locations(std::string_view name, const Tuple& locations, std::int64_t limit,
                     std::vector<AttrProblem>& problems) {
  for (const auto location : locations) {
    if (location >= 0 && location < limit) continue;
    problems.push_back({std::string(name),
                        fmt::format("expected numbers of inputs below {}, got {}", limit, location),
                        ""});
    return;
  }
}

void check_count(std::string_view name, std::int64_t found, std::int64_t expected,
                 std::vector<AttrProblem>& problems) {
  if (found == expected) return;
  const bool is_list = name.ends_with("_locs");
  problems.push_back({std::string(name),
                      is_list ? fmt::format("expected {} different inputs, got {}", expected, found)
                              : fmt::format("expected {}, got {}", expected, found),
                      ""});
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

std::optional<TensorType> one_element(const BodyTypes& condition) {
  const Shape& shape = condition.outputs[0].shape;
  if (!shape.known_rank()) return std::nullopt;
  return TensorType{DType::kUnknown, Shape(std::vector<Dim>(shape.rank(), 1))};
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

bool mentions(const Dim& dim, const Dim& symbol) {
  if (!dim.is_symbolic()) return false;
  if (dim == symbol) return true;
  for (const auto& term : dim.expr()->terms) {
    for (const auto* atom : term.atoms) {
      if (atom->name == symbol.symbol_name()) return true;
      if (mentions(atom->a, symbol) || mentions(atom->b, symbol)) return true;
    }
  }
  return false;
}

onnx::Value padded_rows(onnx::Builder& b, onnx::Value rows, const TensorType& type) {
  const auto rank = static_cast<std::int64_t>(type.shape.rank());
  const onnx::Value shape = b.emit("Shape", {rows}, {}, {DType::kInt64, {rank}});
  const onnx::Value count = b.gather(shape, b.ints({0}), 0);
  auto dims = type.shape.dims();
  onnx::Value size = b.sub(onnx::size_tensor(b, dims[0]), count);
  dims.erase(dims.begin());
  if (!dims.empty()) size = b.concat({size, onnx::sizes_tensor(b, dims)}, 0);
  const Shape unknown = Shape::unknown_dims(type.shape.rank());
  const onnx::Value zeros =
      b.emit("ConstantOfShape", {size}, {{"value", make_tensor_as(type.dtype, {1}, {{0.0}})}},
             {type.dtype, unknown});
  return b.emit("Concat", {rows, zeros}, {{"axis", 0}}, type);
}

}  // namespace mx2onnx
