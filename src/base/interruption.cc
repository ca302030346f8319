#include "base/interruption.h"

namespace mx2onnx {
namespace {

thread_local const std::function<void()>* current = nullptr;

}  // namespace

InterruptionScope::InterruptionScope(const std::function<void()>& checkpoint) : outer_(current) {
  current = checkpoint ? &checkpoint : nullptr;
}

InterruptionScope::~InterruptionScope() { current = outer_; }

void interruption_point() {
  if (current != nullptr) (*current)();
}

}  // namespace mx2onnx
