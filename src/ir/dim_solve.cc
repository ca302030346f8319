#include "ir/dim_solve.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <set>

namespace mx2onnx {
namespace {

constexpr std::int64_t kLargestSize = std::int64_t{1} << 20;
// Strides of a network multiply to this at most; a range of solutions is not wider by much.
constexpr std::int64_t kLargestStride = 128;
constexpr std::int64_t kMostChoices = 16 * kLargestStride;
constexpr int kRoundBits = 5;

const DimAtom& atom_of(const Dim& symbol) { return *symbol.expr()->terms[0].atoms[0]; }

struct ById {
  bool operator()(const DimAtom* a, const DimAtom* b) const { return a->id < b->id; }
};
using Symbols = std::set<const DimAtom*, ById>;

// The symbols of an expression, if all divisors in it are numbers.
struct SymbolsIn {
  Symbols symbols;
  bool all_divided = true;  // each symbol, wherever it occurs
  bool divided_by_numbers = true;

  void collect(const Dim& dim, bool inside_division = false) {
    if (!dim.is_symbolic()) return;
    for (const auto& term : dim.expr()->terms) {
      for (const DimAtom* atom : term.atoms) {
        if (atom->kind == DimAtom::Kind::kSymbol) {
          symbols.insert(atom);
          all_divided = all_divided && inside_division;
          continue;
        }
        const bool is_division = atom->kind == DimAtom::Kind::kFloorDiv;
        if (is_division && !atom->b.is_constant()) divided_by_numbers = false;
        collect(atom->a, inside_division || is_division);
        collect(atom->b, inside_division || is_division);
      }
    }
  }
};

// symbol*a + b == other.
std::optional<SizeSolution> solve_linear(const Dim& expr, const Dim& other) {
  if (!expr.is_symbolic()) return std::nullopt;
  const DimExpr& sum = *expr.expr();
  if (sum.terms.size() != 1 || sum.terms[0].atoms.size() != 1) return std::nullopt;
  const DimAtom& atom = *sum.terms[0].atoms[0];
  if (atom.kind != DimAtom::Kind::kSymbol) return std::nullopt;
  const std::int64_t factor = sum.terms[0].coefficient;
  if (other.is_constant()) {
    const std::int64_t rest = other.value() - sum.constant;
    if (rest % factor != 0 || rest / factor < 0) return std::nullopt;
    return SizeSolution{&atom, rest / factor, rest / factor, rest / factor};
  }
  // A symbol may be another expression, if that does not contain the symbol itself.
  if (factor != 1 || sum.constant != 0 || contains(other, atom)) return std::nullopt;
  return SizeSolution{&atom, other};
}

// The sides of images that networks are made for come before round numbers.
constexpr std::array<std::int64_t, 3> kKnownSizes = {224, 299, 331};

std::int64_t roundest(std::int64_t lowest, std::int64_t highest) {
  for (const auto size : kKnownSizes) {
    if (lowest <= size && size <= highest) return size;
  }
  for (int bits = kRoundBits; bits > 0; --bits) {
    const std::int64_t unit = std::int64_t{1} << bits;
    const std::int64_t multiple = (lowest + unit - 1) / unit * unit;
    if (multiple <= highest) return multiple;
  }
  return lowest;
}

// The expression of one size, which grows with it from some size on, equals the number.
std::optional<SizeSolution> solve_range(const Dim& expr, const DimAtom& symbol,
                                        std::int64_t number) {
  const auto at = [&](std::int64_t size) {
    return expr.evaluate([size](std::string_view) { return size; });
  };
  std::int64_t above = 2;
  while (above < kLargestSize && at(above) <= number) above *= 2;
  if (at(above) <= number) return std::nullopt;
  std::int64_t highest = above / 2;
  if (at(highest) > number) {
    // Windows that do not fit into small images make products of negative sizes.
    above = kMostChoices;
    while (above > 1 && at(above - 1) > number) --above;
    highest = above - 1;
    if (highest == 0 || at(above) <= number) return std::nullopt;
  }
  while (above - highest > 1) {
    const std::int64_t middle = highest + (above - highest) / 2;
    (at(middle) > number ? above : highest) = middle;
  }
  if (at(highest) != number) return std::nullopt;
  std::int64_t lowest = highest;
  while (lowest > 1 && highest - lowest < kMostChoices && at(lowest - 1) == number) --lowest;
  return SizeSolution{&symbol, roundest(lowest, highest), lowest, highest};
}

// "height" and "width", "image_width" and "image_height".
bool are_sides(std::string_view a, std::string_view b) {
  constexpr std::string_view kHeight = "height";
  constexpr std::string_view kWidth = "width";
  if (a.ends_with(kWidth)) std::swap(a, b);
  if (!a.ends_with(kHeight) || !b.ends_with(kWidth)) return false;
  return a.substr(0, a.size() - kHeight.size()) == b.substr(0, b.size() - kWidth.size());
}

std::optional<SizeSolution> solve_for_number(const Dim& expr, std::int64_t number) {
  SymbolsIn in;
  in.collect(expr);
  const Symbols& symbols = in.symbols;
  if (!in.divided_by_numbers || symbols.empty() || symbols.size() > 2) return std::nullopt;
  const DimAtom& first = **symbols.begin();
  const DimAtom& second = **symbols.rbegin();
  // A size that is nowhere divided has one solution or none.
  if (!in.all_divided && !are_sides(first.name, second.name)) return std::nullopt;
  if (symbols.size() == 1) return solve_range(expr, first, number);
  DimArena& arena = *first.arena;
  const Dim one = arena.symbol(first.name);
  const Dim other = arena.symbol(second.name);
  const Dim third = arena.symbol("\n");  // no name that a user can give
  const Dim turned = substitute(substitute(expr, first, third), second, one);
  if (!(substitute(turned, atom_of(third), other) == expr)) return std::nullopt;
  return solve_range(substitute(expr, second, one), first, number);
}

std::int64_t last_broadcast(const Dim& a, const Dim& b) {
  for (std::int64_t size = kMostChoices; size > 0; --size) {
    const auto value = [size](std::string_view) { return size; };
    const std::int64_t x = a.evaluate(value);
    const std::int64_t y = b.evaluate(value);
    if (x != y && (x == 1 || y == 1)) return size;
  }
  return 0;
}

std::int64_t common_factor_of(const Dim& dim) {
  std::int64_t factor = dim.expr()->constant;
  for (const auto& term : dim.expr()->terms) factor = std::gcd(factor, term.coefficient);
  return factor;
}

Dim without_common_factor(const Dim& dim) {
  return dim.is_symbolic() ? floor_div(dim, common_factor_of(dim)) : dim;
}

// Both are expressions of one size that agree for its multiples: one division in them is expressed
// by the rest.
std::optional<SizeSolution> solve_condition(const Dim& a, const Dim& b) {
  const Dim difference = without_common_factor(a - b);
  SymbolsIn in;
  in.collect(difference);
  if (in.symbols.size() != 1 || !in.divided_by_numbers) return std::nullopt;
  const DimAtom& symbol = **in.symbols.begin();
  std::int64_t multiple = 2;
  const auto fulfils = [&](std::int64_t factor) {
    return substitute(difference, symbol, symbol.arena->symbol(symbol.name) * factor) == Dim(0);
  };
  while (!fulfils(multiple)) {
    if (++multiple > kLargestStride) return std::nullopt;
  }
  std::optional<SizeSolution> solution;
  for (const auto& term : difference.expr()->terms) {
    if (std::abs(term.coefficient) != 1 || term.atoms.size() != 1) continue;
    const DimAtom& atom = *term.atoms[0];
    if (atom.kind != DimAtom::Kind::kFloorDiv || (solution && atom.id < solution->atom->id))
      continue;
    const Dim rest = difference - floor_div(atom.a, atom.b) * term.coefficient;
    if (contains(rest, atom)) continue;
    const Dim size = rest * -term.coefficient;
    solution = SizeSolution{.atom = &atom, .size = size, .symbol = &symbol, .multiple = multiple};
  }
  if (solution) solution->broadcasts_up_to = last_broadcast(a, b);
  return solution;
}

// Both are expressions of one size that agree for a range of it, or from some size on. Small sizes
// agree by chance.
std::optional<SizeSolution> solve_by_trial(const Dim& a, const Dim& b) {
  constexpr std::int64_t kLargestByChance = 4;
  SymbolsIn in;
  in.collect(a - b);
  if (in.symbols.size() != 1) return std::nullopt;
  const auto agrees = [&](std::int64_t size) {
    const auto value = [size](std::string_view) { return size; };
    return a.evaluate(value) == b.evaluate(value);
  };
  if (!in.divided_by_numbers) return std::nullopt;
  std::int64_t lowest = 1;
  while (lowest <= kMostChoices && !agrees(lowest)) ++lowest;
  if (lowest > kMostChoices || lowest <= kLargestByChance) return std::nullopt;
  std::int64_t highest = lowest;
  while (highest < kMostChoices && agrees(highest + 1)) ++highest;
  const bool has_end = highest < kMostChoices;
  return SizeSolution{*in.symbols.begin(), has_end ? roundest(lowest, highest) : lowest, lowest,
                      highest};
}

// A symbol that one of the two has once more than the other: as large as what the other has more.
std::optional<SizeSolution> solve_difference(const Dim& a, const Dim& b) {
  const Dim difference = a - b;
  if (!difference.is_symbolic()) return std::nullopt;
  for (const auto& term : difference.expr()->terms) {
    if (term.atoms.size() != 1 || std::abs(term.coefficient) != 1) continue;
    const DimAtom& atom = *term.atoms[0];
    if (atom.kind != DimAtom::Kind::kSymbol) continue;
    const Dim rest = difference - atom.arena->symbol(atom.name) * term.coefficient;
    if (contains(rest, atom)) continue;
    const Dim size = rest * -term.coefficient;
    if (certainly_at_least(size, 0)) return SizeSolution{&atom, size};
  }
  return std::nullopt;
}

// What is divided is as large as what makes the division exact: no other size does that whatever
// the others are.
std::optional<SizeSolution> solve_division(const Dim& a, const Dim& b) {
  const DimExpr& sum = *a.expr();
  const bool is_atom = sum.constant == 0 && sum.terms.size() == 1 &&
                       sum.terms[0].coefficient == 1 && sum.terms[0].atoms.size() == 1;
  if (!is_atom) return std::nullopt;
  const DimAtom& atom = *sum.terms[0].atoms[0];
  if (atom.kind != DimAtom::Kind::kFloorDiv || !atom.b.is_constant()) return std::nullopt;
  auto solution = solve_size(atom.a, b * atom.b);
  if (solution && (!solution->size.is_constant() || contains(b, *solution->atom))) solution.reset();
  return solution;
}

// Whether an expression grows with each symbol in it.
bool is_growing(const Dim& dim) {
  const auto& terms = dim.expr()->terms;
  return std::all_of(terms.begin(), terms.end(), [](const DimTerm& term) {
    return term.coefficient > 0 &&
           std::all_of(term.atoms.begin(), term.atoms.end(),
                       [](const DimAtom* atom) { return atom->kind == DimAtom::Kind::kSymbol; });
  });
}

// `n*a*a` and `n*b*b`: b is a.
std::optional<SizeSolution> solve_alike(const Dim& a, const Dim& b) {
  SymbolsIn in_a;
  SymbolsIn in_b;
  in_a.collect(a);
  in_b.collect(b);
  if (!is_growing(a) || !is_growing(b)) return std::nullopt;
  for (const DimAtom* symbol : in_b.symbols) {
    for (const DimAtom* other : in_a.symbols) {
      const Dim size = other->arena->symbol(other->name);
      const bool is_own = !in_a.symbols.contains(symbol) && !in_b.symbols.contains(other);
      if (is_own && substitute(b, *symbol, size) == a) return SizeSolution{symbol, size};
    }
  }
  return std::nullopt;
}

// A symbol that is a factor of all terms of both, and of these nothing else.
const DimAtom* common_factor(const Dim& a, const Dim& b) {
  const auto divides = [](const DimAtom& symbol, const Dim& dim) {
    const auto is_factor = [&](const DimTerm& term) {
      const auto is_in = [&](const DimAtom* atom) {
        return contains(atom->a, symbol) || contains(atom->b, symbol);
      };
      return std::count(term.atoms.begin(), term.atoms.end(), &symbol) == 1 &&
             std::none_of(term.atoms.begin(), term.atoms.end(), is_in);
    };
    const auto& terms = dim.expr()->terms;
    return dim.expr()->constant == 0 && std::all_of(terms.begin(), terms.end(), is_factor);
  };
  for (const DimAtom* atom : a.expr()->terms[0].atoms) {
    if (atom->kind == DimAtom::Kind::kSymbol && divides(*atom, a) && divides(*atom, b)) return atom;
  }
  return nullptr;
}

}  // namespace

std::optional<SizeSolution> solve_size(const Dim& a, const Dim& b) {
  if (auto solution = solve_linear(a, b)) return solution;
  if (auto solution = solve_linear(b, a)) return solution;
  if (a.is_symbolic() && b.is_constant()) return solve_for_number(a, b.value());
  if (b.is_symbolic() && a.is_constant()) return solve_for_number(b, a.value());
  if (!a.is_symbolic() || !b.is_symbolic()) return std::nullopt;
  const std::int64_t number = std::gcd(common_factor_of(a), common_factor_of(b));
  if (auto solution = solve_linear(floor_div(a, number), floor_div(b, number))) return solution;
  if (auto solution = solve_linear(floor_div(b, number), floor_div(a, number))) return solution;
  if (auto solution = solve_difference(a, b)) return solution;
  if (const DimAtom* factor = common_factor(a, b))
    return solve_size(substitute(a, *factor, 1), substitute(b, *factor, 1));
  if (auto solution = solve_alike(a, b)) return solution;
  if (auto solution = solve_condition(a, b)) return solution;
  if (auto solution = solve_by_trial(a, b)) return solution;
  if (auto solution = solve_division(a, b)) return solution;
  return solve_division(b, a);
}

}  // namespace mx2onnx
