// Free sizes that are not free: what has to hold so that two sizes are equal.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/dim.h"

namespace mx2onnx {

/// `atom` has to be `size` for two sizes to be equal: a symbol that is not free, or a division of
/// one, which is a condition on the symbol.
struct SizeSolution {
  const DimAtom* atom = nullptr;
  Dim size;
  /// The numbers that a symbol's size was chosen from; equal if there was no choice.
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
  /// Of a condition: the symbol, and a number all of whose multiples fulfil it.
  const DimAtom* symbol = nullptr;
  std::int64_t multiple = 0;
  /// The largest size of the symbol at which one of the two sizes is 1 and the other is not, which
  /// ONNX broadcasts where MXNet refuses; 0 if there is none.
  std::int64_t broadcasts_up_to = 0;
};

/// Makes `a` and `b` equal through one of the symbols in them, if one is enough:
/// - `2*n + 1` and 7: n is 3;
/// - n and an expression of other symbols: n is that expression;
/// - `(h + 7)//8` and 16: h is one of 121 to 128; that with the most factors of two, up to 32, is
/// chosen, the
///   smallest of several;
/// - `(h//32)*(w//32)` and 49, where nothing tells h from w: as if they were equal;
/// - `2*((h + 31)//32)` and `(h + 15)//16`: a condition on h, which multiples of 32 fulfil.
std::optional<SizeSolution> solve_size(const Dim& a, const Dim& b);

}  // namespace mx2onnx
