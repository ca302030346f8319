// One dimension of a shape: a number, or an expression of named sizes such as `batch*2` or
// `(height + 1)//2`, or not known (yet).
//
// Expressions are kept in one canonical form, a sum of products with integer coefficients over
// symbols, floor divisions, minima and maxima, and each is stored once in its DimArena: two equal
// expressions of one arena are the same pointer. The shape rules compute with Dims as with
// integers; where a translation needs a size at run time, the ONNX builder turns the same Dim into
// nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mx2onnx {

class DimArena;
struct DimAtom;
struct DimExpr;

class Dim {
 public:
  /// A size that is not known.
  Dim() = default;
  // Sizes are written as plain numbers everywhere; the conversion is meant to be implicit.
  Dim(std::int64_t value) : value_(value), known_(true) {}  // NOLINT(google-explicit-constructor)

  bool known() const { return known_; }
  bool is_constant() const { return known_ && expr_ == nullptr; }
  /// True for a known size that is not a number.
  bool is_symbolic() const { return known_ && expr_ != nullptr; }
  /// The number. Only for a constant.
  std::int64_t value() const;
  /// The expression of a symbolic Dim, else null.
  const DimExpr* expr() const { return expr_; }

  /// The symbol's name if the Dim is one symbol and nothing else, else empty.
  std::string_view symbol_name() const;

  /// Equal for every value of the symbols. Two unknown sizes are not equal.
  friend bool operator==(const Dim& a, const Dim& b) {
    return a.known_ && b.known_ && a.expr_ == b.expr_ && a.value_ == b.value_;
  }

  /// "3", "batch", "(height + 1)//2"; "?" if unknown.
  std::string to_string() const;

  /// The value for given sizes of the symbols.
  std::int64_t evaluate(const std::function<std::int64_t(std::string_view)>& value_of) const;

 private:
  friend class DimArena;
  std::int64_t value_ = 0;
  const DimExpr* expr_ = nullptr;
  bool known_ = false;
};

// Arithmetic. An unknown operand makes an unknown result. Numbers that pass kLargestSize, and
// expressions of more than a few hundred terms, fail with kModel.
Dim operator+(const Dim& a, const Dim& b);
Dim operator-(const Dim& a, const Dim& b);
Dim operator*(const Dim& a, const Dim& b);
/// floor(a / b); b must not be the number 0.
Dim floor_div(const Dim& a, const Dim& b);
/// ceil(a / b).
Dim ceil_div(const Dim& a, const Dim& b);
Dim min(const Dim& a, const Dim& b);
Dim max(const Dim& a, const Dim& b);

/// `dim` with `size` in the place of an atom, wherever it occurs.
Dim substitute(const Dim& dim, const DimAtom& atom, const Dim& size);
bool contains(const Dim& dim, const DimAtom& atom);

/// True if a >= b whatever sizes (of 0 and more) the symbols have; false if that is not certain.
bool certainly_at_least(const Dim& a, const Dim& b);

/// One factor of a product.
struct DimAtom {
  enum class Kind { kSymbol, kFloorDiv, kMin, kMax };
  Kind kind = Kind::kSymbol;
  std::uint32_t id = 0;  // order of creation, the canonical order
  std::string name;      // of a symbol
  Dim a, b;              // operands of the other kinds
  bool non_negative = false;
  std::size_t text_parts = 1;  // symbols, numbers and operations when written out
  DimArena* arena = nullptr;
};

/// "height//2"
std::string atom_text(const DimAtom& atom);

/// A product: coefficient * atom * atom…; the atoms are sorted by id and may repeat.
struct DimTerm {
  std::int64_t coefficient = 0;
  std::vector<const DimAtom*> atoms;
};

/// A sum of products plus a number.
struct DimExpr {
  std::vector<DimTerm> terms;  // never empty, sorted, no coefficient 0
  std::int64_t constant = 0;
  DimArena* arena = nullptr;
};

/// Owns the symbols and expressions of one conversion. Dims must not outlive it.
class DimArena {
 public:
  DimArena() = default;
  DimArena(const DimArena&) = delete;
  DimArena& operator=(const DimArena&) = delete;

  /// The size with this name; the same name is the same size.
  Dim symbol(std::string_view name);

  /// From here on `atom`, a division, is written as `size` wherever it would occur. `size` must not
  /// contain it.
  void assume(const DimAtom& atom, const Dim& size);

  // For the arithmetic of this module.
  Dim intern(DimExpr expr);
  Dim intern_atom(DimAtom::Kind kind, const Dim& a, const Dim& b);

 private:
  Dim from_atom(const DimAtom* atom);

  std::map<std::string, std::unique_ptr<DimAtom>, std::less<>> atoms_;
  std::map<std::string, std::unique_ptr<DimExpr>, std::less<>> exprs_;
  std::map<const DimAtom*, Dim> assumed_;
};

}  // namespace mx2onnx
