// The text of a Dim, as messages and the names of free sizes in a model have it.
#include <fmt/format.h>

#include "ir/dim.h"

namespace mx2onnx {

std::string atom_text(const DimAtom& atom) {
  const auto operand = [](const Dim& dim) {
    const bool simple = dim.is_constant() || !dim.symbol_name().empty();
    return simple ? dim.to_string() : "(" + dim.to_string() + ")";
  };
  switch (atom.kind) {
    case DimAtom::Kind::kSymbol:
      return atom.name;
    case DimAtom::Kind::kFloorDiv:
      return operand(atom.a) + "//" + operand(atom.b);
    case DimAtom::Kind::kMin:
      return fmt::format("min({}, {})", atom.a.to_string(), atom.b.to_string());
    case DimAtom::Kind::kMax:
      return fmt::format("max({}, {})", atom.a.to_string(), atom.b.to_string());
  }
  return {};
}

std::string Dim::to_string() const {
  if (!known_) return "?";
  if (expr_ == nullptr) return std::to_string(value_);
  std::string text;
  const auto sign = [&](bool negative) {
    if (!text.empty()) {
      text += negative ? " - " : " + ";
    } else if (negative) {
      text += "-";
    }
  };
  for (const auto& term : expr_->terms) {
    sign(term.coefficient < 0);
    const auto magnitude = term.coefficient < 0 ? -static_cast<std::uint64_t>(term.coefficient)
                                                : static_cast<std::uint64_t>(term.coefficient);
    if (magnitude != 1) text += fmt::format("{}*", magnitude);
    for (std::size_t i = 0; i < term.atoms.size(); ++i) {
      const bool product = magnitude != 1 || term.atoms.size() > 1;
      const bool wrap = product && term.atoms[i]->kind == DimAtom::Kind::kFloorDiv;
      if (i > 0) text += "*";
      text += wrap ? "(" + atom_text(*term.atoms[i]) + ")" : atom_text(*term.atoms[i]);
    }
  }
  if (expr_->constant != 0) {
    sign(expr_->constant < 0);
    text += std::to_string(expr_->constant < 0 ? -expr_->constant : expr_->constant);
  }
  return text;
}

}  // namespace mx2onnx
