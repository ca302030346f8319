// Where a conversion may be ended from outside: the host's function is looked at from all loops
// that may last, without being handed down to each of them.
#pragma once

#include <functional>

namespace mx2onnx {

/// Until the end of the C++ scope `interruption_point` of this thread calls the function, if it is
/// set.
class InterruptionScope {
 public:
  /// The function must outlive the scope.
  explicit InterruptionScope(const std::function<void()>& checkpoint);
  ~InterruptionScope();
  InterruptionScope(const InterruptionScope&) = delete;
  InterruptionScope& operator=(const InterruptionScope&) = delete;

 private:
  const std::function<void()>* outer_;
};

/// Throws what the host's function throws. Cheap enough for each node or block of bytes.
void interruption_point();

}  // namespace mx2onnx
