#include "ir/dim.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "ir/dim_polynomial.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostTextParts = 1000;

DimExpr expr_of(const Dim& dim) {
  if (dim.is_symbolic()) return *dim.expr();
  DimExpr expr;
  expr.constant = dim.value();
  return expr;
}

DimArena* arena_of(const Dim& a, const Dim& b) {
  return a.is_symbolic() ? a.expr()->arena : b.expr()->arena;
}

bool is_non_negative(const Dim& dim) {
  return dim.is_constant() ? dim.value() >= 0 : dim.known() && is_non_negative(*dim.expr());
}

// floor(expr / divisor) for a positive number. What divides evenly leaves the division; nested
// floor divisions become one: floor((floor(x/c) + r) / d) = floor((x + r*c) / (c*d)).
Dim floor_div_by(const DimExpr& expr, std::int64_t divisor, DimArena& arena) {
  DimExpr whole;
  DimExpr rest;
  for (const auto& term : expr.terms) {
    if (term.coefficient % divisor == 0) {
      whole.terms.push_back({term.coefficient / divisor, term.atoms});
    } else {
      rest.terms.push_back(term);
    }
  }
  whole.constant = floor_div_int(expr.constant, divisor);
  rest.constant = expr.constant - whole.constant * divisor;
  const Dim outside = arena.intern(std::move(whole));
  if (rest.terms.empty()) return outside;
  std::int64_t common = divisor;
  for (const auto& term : rest.terms) common = std::gcd(common, term.coefficient);
  if (common > 1) {
    for (auto& term : rest.terms) term.coefficient /= common;
    rest.constant = floor_div_int(rest.constant, common);
    divisor /= common;
  }
  const DimTerm& first = rest.terms.front();
  if (rest.terms.size() == 1 && first.coefficient == 1 && first.atoms.size() == 1 &&
      first.atoms[0]->kind == DimAtom::Kind::kFloorDiv && first.atoms[0]->b.is_constant()) {
    const DimAtom& inner = *first.atoms[0];
    const Dim numerator = inner.a + Dim(checked_mul(rest.constant, inner.b.value()));
    return outside + floor_div(numerator, checked_mul(inner.b.value(), divisor));
  }
  return outside +
         arena.intern_atom(DimAtom::Kind::kFloorDiv, arena.intern(std::move(rest)), divisor);
}

// The one of a and b that is never the smaller (or larger) one, if that can be told.
std::optional<Dim> pick_extreme(const Dim& a, const Dim& b, bool larger) {
  if (certainly_at_least(a, b)) return larger ? a : b;
  if (certainly_at_least(b, a)) return larger ? b : a;
  return std::nullopt;
}

// True if `whole` is max(part, ...), or min(part, ...).
bool is_extreme_with(const Dim& whole, const Dim& part, DimAtom::Kind kind) {
  if (!whole.is_symbolic()) return false;
  const DimExpr& sum = *whole.expr();
  if (sum.constant != 0 || sum.terms.size() != 1) return false;
  const DimTerm& term = sum.terms.front();
  if (term.coefficient != 1 || term.atoms.size() != 1) return false;
  const DimAtom& atom = *term.atoms[0];
  return atom.kind == kind && (atom.a == part || atom.b == part);
}

Dim extreme(const Dim& a, const Dim& b, bool larger) {
  if (!a.known() || !b.known()) return {};
  if (const auto picked = pick_extreme(a, b, larger)) return *picked;
  const auto kind = larger ? DimAtom::Kind::kMax : DimAtom::Kind::kMin;
  if (is_extreme_with(a, b, kind)) return a;
  if (is_extreme_with(b, a, kind)) return b;
  // One order of the operands, so that min(a, b) and min(b, a) are the same atom.
  const bool swap = a.is_constant() || (b.is_symbolic() && key_of(*b.expr()) < key_of(*a.expr()));
  return swap ? arena_of(a, b)->intern_atom(kind, b, a) : arena_of(a, b)->intern_atom(kind, a, b);
}

std::int64_t evaluate_atom(const DimAtom& atom,
                           const std::function<std::int64_t(std::string_view)>& value_of) {
  if (atom.kind == DimAtom::Kind::kSymbol) return value_of(atom.name);
  const std::int64_t a = atom.a.evaluate(value_of);
  const std::int64_t b = atom.b.evaluate(value_of);
  switch (atom.kind) {
    case DimAtom::Kind::kFloorDiv:
      return floor_div_int(a, b);
    case DimAtom::Kind::kMin:
      return std::min(a, b);
    default:
      return std::max(a, b);
  }
}

}  // namespace

std::int64_t Dim::value() const {
  require(is_constant(), "Dim::value of a size that is not a number");
  return value_;
}

std::string_view Dim::symbol_name() const {
  if (expr_ == nullptr || expr_->terms.size() != 1 || expr_->constant != 0) return {};
  const DimTerm& term = expr_->terms[0];
  if (term.coefficient != 1 || term.atoms.size() != 1) return {};
  return term.atoms[0]->name;
}

std::int64_t Dim::evaluate(const std::function<std::int64_t(std::string_view)>& value_of) const {
  if (is_constant()) return value_;
  require(known_, "Dim::evaluate of an unknown size");
  std::int64_t sum = expr_->constant;
  for (const auto& term : expr_->terms) {
    std::int64_t product = term.coefficient;
    for (const DimAtom* atom : term.atoms) {
      product = checked_mul(product, evaluate_atom(*atom, value_of));
    }
    sum = checked_add(sum, product);
  }
  return sum;
}

Dim operator+(const Dim& a, const Dim& b) {
  if (!a.known() || !b.known()) return {};
  if (a.is_constant() && b.is_constant()) return checked_add(a.value(), b.value());
  return arena_of(a, b)->intern(add(expr_of(a), expr_of(b), 1));
}

Dim operator-(const Dim& a, const Dim& b) {
  if (!a.known() || !b.known()) return {};
  if (a.is_constant() && b.is_constant()) return checked_sub(a.value(), b.value());
  return arena_of(a, b)->intern(add(expr_of(a), expr_of(b), -1));
}

Dim operator*(const Dim& a, const Dim& b) {
  if ((a.is_constant() && a.value() == 0) || (b.is_constant() && b.value() == 0)) return 0;
  if (!a.known() || !b.known()) return {};
  if (a.is_constant() && b.is_constant()) return checked_mul(a.value(), b.value());
  return arena_of(a, b)->intern(multiply(expr_of(a), expr_of(b)));
}

Dim floor_div(const Dim& a, const Dim& b) {
  if (!a.known() || !b.known()) return {};
  if (b.is_constant()) {
    require(b.value() != 0, "a size is divided by zero");
    if (a.is_constant()) return floor_div_int(a.value(), b.value());
    if (b.value() > 0) return floor_div_by(*a.expr(), b.value(), *a.expr()->arena);
    return floor_div(a * -1, b * -1);
  }
  if (a == b) return 1;
  if (a.is_symbolic()) {
    if (auto quotient = divide_exactly(*a.expr(), *b.expr())) {
      return a.expr()->arena->intern(std::move(*quotient));
    }
    if (const auto ratio = ratio_of_multiples(*a.expr(), *b.expr())) return *ratio;
  } else if (a.value() == 0) {
    return 0;
  }
  return b.expr()->arena->intern_atom(DimAtom::Kind::kFloorDiv, a, b);
}

Dim ceil_div(const Dim& a, const Dim& b) { return floor_div(a + b - 1, b); }

Dim min(const Dim& a, const Dim& b) { return extreme(a, b, false); }

Dim max(const Dim& a, const Dim& b) { return extreme(a, b, true); }

bool certainly_at_least(const Dim& a, const Dim& b) {
  return a.known() && b.known() && is_non_negative(a - b);
}

Dim DimArena::symbol(std::string_view name) {
  auto& atom = atoms_["s" + std::string(name)];
  if (!atom) {
    atom = std::make_unique<DimAtom>();
    atom->id = static_cast<std::uint32_t>(atoms_.size());
    atom->name = name;
    atom->non_negative = true;
    atom->arena = this;
  }
  return from_atom(atom.get());
}

Dim DimArena::from_atom(const DimAtom* atom) {
  DimExpr expr;
  expr.terms.push_back({1, {atom}});
  return intern(std::move(expr));
}

namespace {

// An expression shares its parts; written out, it repeats them.
std::size_t text_parts(const Dim& dim) {
  std::size_t parts = 1;
  if (!dim.is_symbolic()) return parts;
  for (const auto& term : dim.expr()->terms) {
    for (const DimAtom* atom : term.atoms) parts += atom->text_parts;
  }
  return parts;
}

}  // namespace

Dim DimArena::intern_atom(DimAtom::Kind kind, const Dim& a, const Dim& b) {
  const auto part = [](const Dim& dim) {
    return dim.is_constant() ? std::to_string(dim.value()) : "e" + key_of(*dim.expr());
  };
  auto& atom = atoms_[fmt::format("{};{};{}", static_cast<int>(kind), part(a), part(b))];
  if (!atom) {
    atom = std::make_unique<DimAtom>();
    atom->kind = kind;
    atom->id = static_cast<std::uint32_t>(atoms_.size());
    atom->a = a;
    atom->b = b;
    atom->non_negative = kind == DimAtom::Kind::kMax ? is_non_negative(a) || is_non_negative(b)
                                                     : is_non_negative(a) && is_non_negative(b);
    atom->arena = this;
    atom->text_parts = 1 + text_parts(a) + text_parts(b);
    if (atom->text_parts > kMostTextParts) fail_too_large();
  }
  const auto other = assumed_.find(atom.get());
  return other != assumed_.end() ? other->second : from_atom(atom.get());
}

Dim DimArena::intern(DimExpr expr) {
  if (expr.terms.empty()) return expr.constant;
  expr.arena = this;
  auto& stored = exprs_[key_of(expr)];
  if (!stored) stored = std::make_unique<DimExpr>(std::move(expr));
  Dim dim;
  dim.known_ = true;
  dim.expr_ = stored.get();
  return dim;
}

}  // namespace mx2onnx
