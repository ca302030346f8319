// How the library fails: `fail` is the only place that throws, and what it throws knows where it
// happened because `ErrorScope` objects on the stack say so.
//
// Nothing inside the library catches an error to add context to it. The context is pushed on the
// way down instead, so that the core also builds without exceptions, where `fail` hands the text to
// the host and stops.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mx2onnx/error.h"

namespace mx2onnx {

/// Names the place in which the code that follows works, until the end of the C++ scope.
///
/// The strings are not copied: they must outlive the scope object.
class ErrorScope {
 public:
  static ErrorScope file(std::string_view path) { return ErrorScope(Kind::kFile, path, {}, -1); }
  static ErrorScope node(std::int64_t index, std::string_view name, std::string_view op) {
    return ErrorScope(Kind::kNode, name, op, index);
  }
  static ErrorScope attribute(std::string_view name) {
    return ErrorScope(Kind::kAttribute, name, {}, -1);
  }
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
  ~ErrorScope();

 private:
  friend ErrorPlace current_place();
  enum class Kind { kFile, kNode, kAttribute };
  ErrorScope(Kind kind, std::string_view name, std::string_view op, std::int64_t index);

  Kind kind_;
  std::string_view name_;
  std::string_view op_;
  std::int64_t index_;
  const ErrorScope* outer_;
};

/// The place that the scope objects alive in this thread describe, innermost first.
ErrorPlace current_place();

/// Renders a place the way every message of the program begins: `file: node 17 'conv0'
/// (Convolution): attribute 'kernel': `. Empty for an empty place.
std::string place_text(const ErrorPlace& place);

/// Throws an Error with the current place. `message` is lower case, has no final full stop and is
/// one line: a line feed in it is part of a name, and escaped as all that is not printable.
[[noreturn]] void fail(ErrorCode code, const std::string& message, const std::string& hint = {});

/// As `fail`, with a list: a line for each, indented.
[[noreturn]] void fail_with_list(ErrorCode code, const std::string& message,
                                 const std::vector<std::string>& list,
                                 const std::string& hint = {});

/// As `fail`, for a place that was noted earlier.
[[noreturn]] void fail_at(ErrorPlace place, ErrorCode code, const std::string& message,
                          const std::string& hint = {});

/// Fails with an error that was made before.
[[noreturn]] void fail_with(const Error& error);

/// Fails with kInternal if an invariant of the program itself does not hold.
inline void require(bool invariant, std::string_view what) {
  if (!invariant) fail(ErrorCode::kInternal, fmt::format("internal error: {}", what));
}

/// What the host of a build without exceptions is handed before the program stops.
using FailureHandler = void (*)(ErrorCode code, const char* text);
void set_failure_handler(FailureHandler handler);

}  // namespace mx2onnx
