// How much a conversion makes of what it reads: a small file must not fill a disk, the memory or an
// afternoon. Whatever grows with a number in a file and not with the file's size is charged here,
// before it is made; the limits are those of unpacking (base/unpack.h), and so is the option that
// raises them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mx2onnx {

/// Until the end of the C++ scope, what this thread makes counts towards a limit of its own. A
/// scope within another one begins from 0 again: for what is thrown away before the next begins.
class BudgetScope {
 public:
  /// `allowed` bytes may be made, of the `read` bytes that the message names.
  BudgetScope(std::uint64_t allowed, std::uint64_t read);
  /// With the limit of the scope around it, or without one.
  BudgetScope();
  ~BudgetScope();
  BudgetScope(const BudgetScope&) = delete;
  BudgetScope& operator=(const BudgetScope&) = delete;

 private:
  friend void spend(std::uint64_t bytes);
  std::uint64_t allowed_;
  std::uint64_t read_;
  std::uint64_t spent_ = 0;
  BudgetScope* outer_;
};

/// Says that so many bytes are about to be made. Fails with kUsage, in the name of the node that
/// the ErrorScope says, where the budget does not have them.
void spend(std::uint64_t bytes);

/// As `spend`, for `count` elements of up to 16 bytes each, one time for each of `times`. Numbers
/// below 0 are none.
void spend_elements(std::int64_t count, std::int64_t times = 1);

/// What a node or an input or output of the graph is charged with, about its bytes in a file.
inline constexpr std::uint64_t kNodeCost = 256;

}  // namespace mx2onnx
