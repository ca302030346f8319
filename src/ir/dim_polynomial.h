// The arithmetic of dim.h's expressions, sums of products: what does not need their arena.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ir/dim.h"

namespace mx2onnx {

// Numbers that pass kLargestSize, and expressions of more than a few hundred terms, fail with
// kModel.
[[noreturn]] void fail_too_large();

/// a + factor * b
DimExpr add(DimExpr a, const DimExpr& b, std::int64_t factor);
DimExpr multiply(const DimExpr& a, const DimExpr& b);
/// Long division of polynomials; the quotient if nothing is left over.
std::optional<DimExpr> divide_exactly(DimExpr rest, const DimExpr& divisor);
/// floor(2n / 3n) = 0: the quotient of two multiples of one product.
std::optional<std::int64_t> ratio_of_multiples(const DimExpr& a, const DimExpr& b);

/// True if the value cannot be below 0, whatever sizes the symbols have.
bool is_non_negative(const DimExpr& expr);

/// A text that equal expressions of one arena share and no others do.
std::string key_of(const DimExpr& expr);

}  // namespace mx2onnx
