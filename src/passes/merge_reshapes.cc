// Reshape, Flatten, Squeeze and Unsqueeze in a row are one Reshape, or nothing; so are Transposes.
// A Transpose that moves axes of size 1 alone is a Reshape.
#include <algorithm>

#include "passes/pass.h"
#include "passes/rewrite.h"

namespace mx2onnx::passes {
namespace {

bool is_plain(const Dim& dim) {
  return dim.is_constant() || (dim.is_symbolic() && !dim.symbol_name().empty());
}

// Equal for sure: sizes that are computed may be equal by what the conversion assumed, which a
// Reshape still checks.
bool same_for_sure(const Shape& from, const Shape& to) {
  return from.known() && from == to &&
         std::all_of(from.dims().begin(), from.dims().end(), is_plain);
}

bool has_zero(const Shape& shape) {
  return std::any_of(shape.dims().begin(), shape.dims().end(),
                     [](const Dim& dim) { return dim.is_constant() && dim.value() == 0; });
}

// What Reshape has to be told: numbers, 0 for a size that stays where it was, -1 for one that is
// computed. Nothing if that does not say it.
std::optional<std::vector<std::int64_t>> told(const Shape& from, const Shape& to) {
  if (!from.known() || !to.known() || has_zero(from) || has_zero(to)) return std::nullopt;
  std::vector<std::int64_t> numbers;
  std::size_t copied = 0;
  std::size_t computed = 0;
  for (std::size_t i = 0; i < to.rank(); ++i) {
    if (to[i].is_constant()) {
      numbers.push_back(to[i].value());
    } else if (i < from.rank() && from[i] == to[i]) {
      numbers.push_back(0);
      ++copied;
    } else {
      numbers.push_back(-1);
      ++computed;
    }
  }
  // A size that is 0 at run time must not make another one ambiguous.
  if (computed > 1 || (computed == 1 && copied > 0)) return std::nullopt;
  return numbers;
}

std::optional<NewNode> reshape(onnx::Value x, Place& place) {
  const Shape& from = place.graph().type(x).shape;
  const Shape& to = place.type().shape;
  if (same_for_sure(from, to)) return NewNode{"Identity", {x}, {}};
  auto numbers = told(from, to);
  if (!numbers) return std::nullopt;
  return NewNode{"Reshape", {x, place.ints(*numbers)}, {}};
}

std::optional<NewNode> one_reshape(const Match& match, Place& place) {
  return reshape(match.value("x"), place);
}

std::optional<NewNode> nothing(const Match& match, Place& place) {
  if (!same_for_sure(match.type("x").shape, place.type().shape)) return std::nullopt;
  return NewNode{"Identity", {match.value("x")}, {}};
}

std::vector<std::int64_t> order_of(const onnx::Node& node, std::size_t rank) {
  auto perm = node.ints_attr("perm");
  for (std::size_t i = rank; i > 0 && perm.size() < rank; --i)
    perm.push_back(static_cast<std::int64_t>(i - 1));
  return perm;
}

std::optional<NewNode> one_transpose(const Match& match, Place& place) {
  const std::size_t rank = match.type("x").shape.rank();
  const auto first = order_of(match.node("first"), rank);
  const auto second = order_of(place.node(), rank);
  if (first.size() != rank || second.size() != rank) return std::nullopt;
  std::vector<std::int64_t> perm;
  for (const auto axis : second) perm.push_back(first[static_cast<std::size_t>(axis)]);
  if (std::is_sorted(perm.begin(), perm.end())) return NewNode{"Identity", {match.value("x")}, {}};
  return NewNode{"Transpose", {match.value("x")}, {{"perm", std::move(perm)}}};
}

std::optional<NewNode> reshape_for_transpose(const Match& match, Place& place) {
  const Shape& from = match.type("x").shape;
  const auto perm = order_of(place.node(), from.rank());
  if (!from.known() || perm.size() != from.rank()) return std::nullopt;
  std::vector<std::int64_t> moved;
  for (const auto axis : perm) {
    const Dim& dim = from[static_cast<std::size_t>(axis)];
    if (!dim.is_constant() || dim.value() != 1) moved.push_back(axis);
  }
  if (!std::is_sorted(moved.begin(), moved.end())) return std::nullopt;
  return reshape(match.value("x"), place);
}

std::vector<Rule> make_rules() {
  const std::vector<std::string_view> like_reshape = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"};
  return {
      {op(like_reshape, {op(like_reshape, {any("x")}).with_more()}).with_more(), one_reshape},
      {op(like_reshape, {any("x")}).with_more(), nothing},
      {op("Transpose", {op("Transpose", {any("x")}).as("first")}), one_transpose},
      {op("Transpose", {any("x")}), reshape_for_transpose},
  };
}

}  // namespace

std::size_t merge_reshapes(onnx::Graph& graph, const PassOptions& /*options*/) {
  static const std::vector<Rule> rules = make_rules();
  return rewrite(graph, rules);
}

}  // namespace mx2onnx::passes
