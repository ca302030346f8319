#include "ir/dim_polynomial.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"

namespace mx2onnx {
namespace {

constexpr std::size_t kMostTerms = 256;
constexpr std::size_t kMostFactors = 64;

// Higher degree first, then older atoms first: `batch*height + batch + 1`.
bool term_before(const DimTerm& a, const DimTerm& b) {
  if (a.atoms.size() != b.atoms.size()) return a.atoms.size() > b.atoms.size();
  return std::lexicographical_compare(
      a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end(),
      [](const DimAtom* x, const DimAtom* y) { return x->id < y->id; });
}

bool same_atoms(const DimTerm& a, const DimTerm& b) { return a.atoms == b.atoms; }

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

DimTerm multiply(const DimTerm& a, const DimTerm& b) {
  DimTerm product;
  product.coefficient = checked_mul(a.coefficient, b.coefficient);
  product.atoms.resize(a.atoms.size() + b.atoms.size());
  if (product.atoms.size() > kMostFactors) fail_too_large();
  std::merge(a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end(), product.atoms.begin(),
             [](const DimAtom* x, const DimAtom* y) { return x->id < y->id; });
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

}  // namespace

[[noreturn]] void fail_too_large() {
  fail(ErrorCode::kModel, "a size has become an expression of too many terms",
       "give some of the free dimensions a number");
}

DimExpr add(DimExpr a, const DimExpr& b, std::int64_t factor) {
  for (const auto& term : b.terms) {
    a.terms.push_back({checked_mul(term.coefficient, factor), term.atoms});
  }
  a.constant = checked_add(a.constant, checked_mul(b.constant, factor));
  normalise(a);
  return a;
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

std::string key_of(const DimExpr& expr) {
  std::string key = std::to_string(expr.constant);
  for (const auto& term : expr.terms) {
    key += '+' + std::to_string(term.coefficient);
    for (const DimAtom* atom : term.atoms) key += '*' + std::to_string(atom->id);
  }
  return key;
}

}  // namespace mx2onnx
