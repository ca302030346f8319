// Trying what may fail.
#pragma once

#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/mapping_faults.h"

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

/// Runs `work`, a whole conversion. It fails with kIo where the memory that it wants is not there,
/// in the name of the file, and where a file has become shorter while it was read, whatever that
/// made of it.
template <typename Work>
auto with_system_errors(const std::string& file, Work&& work) {
#if defined(__cpp_exceptions)
  constexpr const char* kMessage = "takes more memory than there is";
  take_shrunk_file();
  try {
    return std::forward<Work>(work)();
  } catch (const Error&) {
    fail_if_shrunk();
    throw;
  } catch (const std::bad_alloc&) {
    fail_at({.file = file}, ErrorCode::kIo, kMessage);
  } catch (const std::length_error&) {
    fail_at({.file = file}, ErrorCode::kIo, kMessage);
  }
#else
  (void)file;
  return std::forward<Work>(work)();
#endif
}

/// Fails with what another attempt failed with.
[[noreturn]] inline void fail_again(const Error& error) { fail_with(error); }

}  // namespace mx2onnx
