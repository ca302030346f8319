#include "base/error.h"

#include <cstdlib>

#include "mx2onnx/printable.h"

namespace mx2onnx {
namespace {

thread_local const ErrorScope* innermost = nullptr;
FailureHandler failure_handler = nullptr;

std::string whole_text(const ErrorPlace& place, const std::string& message,
                       const std::string& hint) {
  std::string text = place_text(place) + message;
  if (!hint.empty()) text += "\nhint: " + hint;
  return text;
}

}  // namespace

// Both texts are only read: what is kept of them is printable.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Error::Error(ErrorCode code, ErrorPlace place, std::string message, std::string hint)
    : std::runtime_error(whole_text(place, printable_lines(message), printable_lines(hint))),
      code_(code),
      place_(std::move(place)),
      message_(printable_lines(message)),
      hint_(printable_lines(hint)) {}

ErrorScope::ErrorScope(Kind kind, std::string_view name, std::string_view op, std::int64_t index)
    : kind_(kind), name_(name), op_(op), index_(index), outer_(innermost) {
  innermost = this;
}

ErrorScope::~ErrorScope() { innermost = outer_; }

ErrorPlace current_place() {
  ErrorPlace place;
  for (const ErrorScope* scope = innermost; scope != nullptr; scope = scope->outer_) {
    switch (scope->kind_) {
      case ErrorScope::Kind::kFile:
        if (place.file.empty()) place.file = scope->name_;
        break;
      case ErrorScope::Kind::kNode:
        if (place.node_index < 0) {
          place.node = scope->name_;
          place.op = scope->op_;
          place.node_index = scope->index_;
        }
        break;
      case ErrorScope::Kind::kAttribute:
        if (place.attribute.empty()) place.attribute = scope->name_;
        break;
    }
  }
  return place;
}

std::string place_text(const ErrorPlace& place) {
  std::string text;
  if (!place.file.empty()) text += printable(place.file) + ": ";
  if (place.node_index >= 0) {
    text += fmt::format("node {} '{}' ({}): ", place.node_index, printable(place.node),
                        place.op.empty() ? "variable" : printable(place.op));
  }
  if (!place.attribute.empty()) text += fmt::format("attribute '{}': ", printable(place.attribute));
  return text;
}

void fail_with(const Error& error) {
#if defined(__cpp_exceptions)
  throw error;
#else
  if (failure_handler != nullptr) failure_handler(error.code(), error.what());
  std::abort();
#endif
}

void fail_at(ErrorPlace place, ErrorCode code, const std::string& message,
             const std::string& hint) {
  fail_with(Error(code, std::move(place), printable(message), printable(hint)));
}

void fail(ErrorCode code, const std::string& message, const std::string& hint) {
  fail_at(current_place(), code, message, hint);
}

void fail_with_list(ErrorCode code, const std::string& message,
                    const std::vector<std::string>& list, const std::string& hint) {
  std::string text = printable(message);
  for (const auto& line : list) text += "\n  " + printable(line);
  fail_with(Error(code, current_place(), std::move(text), printable(hint)));
}

void set_failure_handler(FailureHandler handler) { failure_handler = handler; }

}  // namespace mx2onnx
