// See size_numbers.h.
#include "convert/size_numbers.h"

#include <algorithm>

namespace mx2onnx {

Number plus(Number a, Number b) {
  std::uint64_t sum = 0;
  if (!a || !b || __builtin_add_overflow(*a, *b, &sum)) return std::nullopt;
  return sum;
}

Number times(Number a, Number b) {
  std::uint64_t product = 0;
  if (!a || !b || __builtin_mul_overflow(*a, *b, &product)) return std::nullopt;
  return product;
}

Number SizeEvaluator::operator()(const Dim& dim) const {
  const auto value = evaluate(dim);
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

Number SizeEvaluator::count(const Shape& shape) const {
  if (!shape.known_rank()) return std::nullopt;
  Number product = 1;
  for (const Dim& dim : shape.dims()) product = times(product, (*this)(dim));
  return product;
}

std::optional<std::int64_t> SizeEvaluator::evaluate(const Dim& dim) const {
  if (!dim.known()) return std::nullopt;
  if (dim.is_constant()) return dim.value();
  std::int64_t sum = dim.expr()->constant;
  for (const auto& term : dim.expr()->terms) {
    std::int64_t product = term.coefficient;
    for (const DimAtom* atom : term.atoms) {
      const auto factor = evaluate(*atom);
      if (!factor || __builtin_mul_overflow(product, *factor, &product)) return std::nullopt;
    }
    if (__builtin_add_overflow(sum, product, &sum)) return std::nullopt;
  }
  return sum;
}

// As deep as expressions are nested, which their arena bounds.
std::optional<std::int64_t> SizeEvaluator::evaluate(const DimAtom& atom) const {
  if (atom.kind == DimAtom::Kind::kSymbol) {
    if (std::find(ones_.begin(), ones_.end(), atom.name) == ones_.end()) return std::nullopt;
    return 1;
  }
  const auto a = evaluate(atom.a);
  const auto b = evaluate(atom.b);
  if (!a || !b) return std::nullopt;
  if (atom.kind == DimAtom::Kind::kMin) return std::min(*a, *b);
  if (atom.kind == DimAtom::Kind::kMax) return std::max(*a, *b);
  if (*b <= 0) return std::nullopt;
  return *a / *b - (*a % *b < 0 ? 1 : 0);
}

}  // namespace mx2onnx
