#include "base/budget.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace mx2onnx {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kElementCost = 16;

thread_local BudgetScope* current = nullptr;

}  // namespace

BudgetScope::BudgetScope(std::uint64_t allowed, std::uint64_t read)
    : allowed_(allowed), read_(read), outer_(current) {
  current = this;
}

BudgetScope::BudgetScope()
    : BudgetScope(current != nullptr ? current->allowed_ : kNoLimit,
                  current != nullptr ? current->read_ : 0) {}

BudgetScope::~BudgetScope() { current = outer_; }

void spend(std::uint64_t bytes) {
  if (current == nullptr || current->allowed_ == kNoLimit) return;
  if (bytes <= current->allowed_ - current->spent_) {
    current->spent_ += bytes;
    return;
  }
  fail(ErrorCode::kUsage,
       fmt::format("{} bytes that were read would become more than {}", current->read_,
                   current->allowed_),
       "if the file can be trusted, allow more with --unpack-limit");
}

void spend_elements(std::int64_t count, std::int64_t times) {
  const auto factor = [](std::int64_t n) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0));
  };
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(factor(count), factor(times), &bytes) ||
      __builtin_mul_overflow(bytes, kElementCost, &bytes)) {
    bytes = kNoLimit;
  }
  spend(bytes);
}

}  // namespace mx2onnx
