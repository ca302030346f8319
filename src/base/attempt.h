// Trying what may fail.
#pragma once

#include <optional>
#include <utility>

#include "base/error.h"

namespace mx2onnx {

/// Whether `attempt` can come back from a failure. In a build without exceptions a failure ends the
/// program, so that nothing may be tried there that is not likely to hold.
#if defined(__cpp_exceptions)
constexpr bool kCanAttempt = true;
#else
constexpr bool kCanAttempt = false;
#endif

/// Runs `work` and returns what it failed with, if it did.
template <typename Work>
std::optional<Error> attempt(Work&& work) {
#if defined(__cpp_exceptions)
  try {
    std::forward<Work>(work)();
  } catch (const Error& error) {
    return error;
  }
#else
  std::forward<Work>(work)();
#endif
  return std::nullopt;
}

/// Fails with what another attempt failed with.
[[noreturn]] inline void fail_again(const Error& error) { fail_with(error); }

}  // namespace mx2onnx
