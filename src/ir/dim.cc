#include "ir/dim.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/error.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostTerms = 256;
constexpr std::size_t kMostTextParts = 1000;
constexpr std::size_t kMostFactors = 64;

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) {
    fail(ErrorCode::kModel, fmt::format("a size overflows 64 bits: {} + {}", a, b));
  }
  return result;
}

std::int64_t checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) {
    fail(ErrorCode::kModel, fmt::format("a size overflows 64 bits: {} * {}", a, b));
  }
  return result;
}

std::int64_t floor_div_int(std::int64_t a, std::int64_t b) {
  if (b == -1) return checked_mul(a, -1);
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

// Higher degree first, then older atoms first: `batch*height + batch + 1`.
bool term_before(const DimTerm& a, const DimTerm& b) {
  if (a.atoms.size() != b.atoms.size()) return a.atoms.size() > b.atoms.size();
  return std::lexicographical_compare(
      a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end(),
      [](const DimAtom* x, const DimAtom* y) { return x->id < y->id; });
}

bool same_atoms(const DimTerm& a, const DimTerm& b) { return a.atoms == b.atoms; }

DimExpr expr_of(const Dim& dim) {
  if (dim.is_symbolic()) return *dim.expr();
  DimExpr expr;
  expr.constant = dim.value();
  return expr;
}

DimArena* arena_of(const Dim& a, const Dim& b) {
  return a.is_symbolic() ? a.expr()->arena : b.expr()->arena;
}

[[noreturn]] void fail_too_large() {
  fail(ErrorCode::kModel, "a size has become an expression of too many terms",
       "give some of the free dimensions a number");
}

// Sorts, merges equal products, drops zeros.
void normalise(DimExpr& expr) {
  auto& terms = expr.terms;
  std::sort(terms.begin(), terms.end(), term_before);
  std::vector<DimTerm> merged;
  for (auto& term : terms) {
    if (!merged.empty() && same_atoms(merged.back(), term)) {
      merged.back().coefficient = checked_add(merged.back().coefficient, term.coefficient);
    } else {
      merged.push_back(std::move(term));
    }
  }
  std::erase_if(merged, [](const DimTerm& term) { return term.coefficient == 0; });
  terms = std::move(merged);
  if (terms.size() > kMostTerms) fail_too_large();
}

DimExpr add(DimExpr a, const DimExpr& b, std::int64_t factor) {
  for (const auto& term : b.terms) {
    a.terms.push_back({checked_mul(term.coefficient, factor), term.atoms});
  }
  a.constant = checked_add(a.constant, checked_mul(b.constant, factor));
  normalise(a);
  return a;
}

DimTerm multiply(const DimTerm& a, const DimTerm& b) {
  DimTerm product;
  product.coefficient = checked_mul(a.coefficient, b.coefficient);
  product.atoms.resize(a.atoms.size() + b.atoms.size());
  if (product.atoms.size() > kMostFactors) fail_too_large();
  std::merge(a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end(), product.atoms.begin(),
             [](const DimAtom* x, const DimAtom* y) { return x->id < y->id; });
  return product;
}

DimExpr multiply(const DimExpr& a, const DimExpr& b) {
  DimExpr product;
  product.constant = checked_mul(a.constant, b.constant);
  for (const auto& term : a.terms) {
    if (b.constant != 0) product.terms.push_back(multiply(term, {b.constant, {}}));
    for (const auto& other : b.terms) product.terms.push_back(multiply(term, other));
  }
  for (const auto& other : b.terms) {
    if (a.constant != 0) product.terms.push_back(multiply(other, {a.constant, {}}));
  }
  normalise(product);
  return product;
}

// term / divisor if that is exact.
std::optional<DimTerm> divide(const DimTerm& term, const DimTerm& divisor) {
  if (term.coefficient % divisor.coefficient != 0) return std::nullopt;
  DimTerm quotient{term.coefficient / divisor.coefficient, {}};
  std::size_t next = 0;
  for (const DimAtom* atom : term.atoms) {
    if (next < divisor.atoms.size() && divisor.atoms[next] == atom) {
      ++next;
    } else {
      quotient.atoms.push_back(atom);
    }
  }
  if (next != divisor.atoms.size()) return std::nullopt;
  return quotient;
}

// Long division of polynomials; the quotient if nothing is left over.
std::optional<DimExpr> divide_exactly(DimExpr rest, const DimExpr& divisor) {
  DimExpr quotient;
  const DimTerm& leading = divisor.terms.front();
  while (!rest.terms.empty()) {
    const auto factor = divide(rest.terms.front(), leading);
    if (!factor || quotient.terms.size() > kMostTerms) return std::nullopt;
    DimExpr step;
    if (factor->atoms.empty()) {
      step.constant = factor->coefficient;
    } else {
      step.terms.push_back(*factor);
    }
    quotient = add(std::move(quotient), step, 1);
    rest = add(std::move(rest), multiply(step, divisor), -1);
  }
  if (rest.constant != 0) return std::nullopt;
  return quotient;
}

// floor(2n / 3n) = 0: the quotient of two multiples of one product.
std::optional<std::int64_t> ratio_of_multiples(const DimExpr& a, const DimExpr& b) {
  if (a.constant != 0 || b.constant != 0 || a.terms.size() != 1 || b.terms.size() != 1) return {};
  if (a.terms[0].atoms != b.terms[0].atoms) return std::nullopt;
  return floor_div_int(a.terms[0].coefficient, b.terms[0].coefficient);
}

bool is_non_negative(const DimExpr& expr) {
  if (expr.constant < 0) return false;
  return std::all_of(expr.terms.begin(), expr.terms.end(), [](const DimTerm& term) {
    return term.coefficient > 0 &&
           std::all_of(term.atoms.begin(), term.atoms.end(),
                       [](const DimAtom* atom) { return atom->non_negative; });
  });
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

std::string key_of(const DimExpr& expr) {
  std::string key = std::to_string(expr.constant);
  for (const auto& term : expr.terms) {
    key += '+' + std::to_string(term.coefficient);
    for (const DimAtom* atom : term.atoms) key += '*' + std::to_string(atom->id);
  }
  return key;
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
  if (a.is_constant() && b.is_constant()) {
    return checked_add(a.value(), checked_mul(b.value(), -1));
  }
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
