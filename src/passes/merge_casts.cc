// Cast(Cast(x)) is one Cast, or nothing, where the type in between has every number of x's.
#include <array>

#include "passes/pass.h"
#include "passes/rewrite.h"

namespace mx2onnx::passes {
namespace {

struct Numbers {
  int bits;  // of an integer's size, or of a floating number's digits
  bool is_signed;
  bool is_floating;
};

std::optional<Numbers> numbers_of(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return Numbers{1, false, false};
    case DType::kUint8:
      return Numbers{8, false, false};
    case DType::kInt8:
      return Numbers{7, true, false};
    case DType::kInt32:
      return Numbers{31, true, false};
    case DType::kInt64:
      return Numbers{63, true, false};
    case DType::kFloat16:
      return Numbers{11, true, true};
    case DType::kFloat32:
      return Numbers{24, true, true};
    case DType::kFloat64:
      return Numbers{53, true, true};
    default:
      return std::nullopt;
  }
}

bool has_all(const Numbers& type, const Numbers& of) {
  if (of.is_floating && !type.is_floating) return false;
  return type.bits >= of.bits && (type.is_signed || !of.is_signed);
}

std::optional<NewNode> one_cast(const Match& match, Place& place) {
  const DType from = match.type("x").dtype;
  const auto first = numbers_of(from);
  const auto between = numbers_of(match.type("between").dtype);
  const DType to = place.type().dtype;
  const auto last = numbers_of(to);
  if (!first || !between || !last || !has_all(*between, *first)) return std::nullopt;
  // What becomes of a number that the last type does not have depends on where it comes from.
  const bool to_integer = !last->is_floating && to != DType::kBool;
  const bool all_integers = !first->is_floating && !between->is_floating;
  if (to_integer && !all_integers && !has_all(*last, *first)) return std::nullopt;
  if (from == to) return NewNode{"Identity", {match.value("x")}, {}};
  return NewNode{"Cast", {match.value("x")}, place.node().attrs};
}

}  // namespace

std::size_t merge_casts(onnx::Graph& graph, const PassOptions& /*options*/) {
  static const std::vector<Rule> rules = {
      {op("Cast", {op("Cast", {any("x")}).with_other_uses().as("between")}), one_cast},
  };
  return rewrite(graph, rules);
}

}  // namespace mx2onnx::passes
