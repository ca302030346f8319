// What the operators that hold subgraphs (_foreach, _while_loop, _cond) have in common. A
// subgraph's nodes are translated into the body of an ONNX Scan, Loop or If
// (expressions/body_scope.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/expressions/body_scope.h"
#include "ops/expressions/numbered.h"
#include "ops/record/registry.h"

namespace mx2onnx {

/// "output", or output0, output1, …, as MXNet's list_outputs has them.
std::vector<std::string> subgraph_outputs(std::int64_t count);

// Checks of attributes: that locations lie in [0, limit), and that there are as many as expected.
void check_locations(std::string_view name, const Tuple& locations, std::int64_t limit,
                     std::vector<AttrProblem>& problems);
void check_count(std::string_view name, std::int64_t found, std::int64_t expected,
                 std::vector<AttrProblem>& problems);

// Checks of what inference found in a subgraph. They fail with kModel.
void expect_condition(const BodyTypes& condition);
void expect_outputs(const BodyTypes& body, std::size_t count);

/// What is true of a condition's output of known rank: MXNet takes one element of any shape.
std::optional<TensorType> one_element(const BodyTypes& condition);

/// Adds what a type says to an input or an output.
void set_input(InferContext& c, std::size_t i, const TensorType& type);
void set_output(InferContext& c, std::size_t i, const TensorType& type);

/// True if the size with a name of its own occurs in another size.
bool mentions(const Dim& dim, const Dim& symbol);

/// Rows of zeros behind those that a loop made, up to as many as the type has. MXNet leaves there
/// what is in its memory.
onnx::Value padded_rows(onnx::Builder& b, onnx::Value rows, const TensorType& type);

}  // namespace mx2onnx
