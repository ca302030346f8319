// One size in the place of another, within an expression and in all that are made from then on.
#include "ir/dim.h"

namespace mx2onnx {

bool contains(const Dim& dim, const DimAtom& atom) {
  if (!dim.is_symbolic()) return false;
  for (const auto& term : dim.expr()->terms) {
    for (const DimAtom* part : term.atoms) {
      if (part == &atom || contains(part->a, atom) || contains(part->b, atom)) return true;
    }
  }
  return false;
}

Dim substitute(const Dim& dim, const DimAtom& atom, const Dim& size) {
  if (!contains(dim, atom)) return dim;
  const auto value_of = [&](const DimAtom& part) -> Dim {
    if (&part == &atom) return size;
    const Dim a = substitute(part.a, atom, size);
    const Dim b = substitute(part.b, atom, size);
    switch (part.kind) {
      case DimAtom::Kind::kSymbol:
        return part.arena->symbol(part.name);
      case DimAtom::Kind::kFloorDiv:
        return floor_div(a, b);
      case DimAtom::Kind::kMin:
        return min(a, b);
      default:
        return max(a, b);
    }
  };
  Dim sum = dim.expr()->constant;
  for (const auto& term : dim.expr()->terms) {
    Dim product = term.coefficient;
    for (const DimAtom* part : term.atoms) product = product * value_of(*part);
    sum = sum + product;
  }
  return sum;
}

void DimArena::assume(const DimAtom& atom, const Dim& size) {
  for (auto& [key, value] : assumed_) value = substitute(value, atom, size);
  assumed_.emplace(&atom, size);
}

}  // namespace mx2onnx
