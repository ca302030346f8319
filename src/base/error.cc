#include "base/error.h"

#include <cstdlib>

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

Error::Error(ErrorCode code, ErrorPlace place, std::string message, std::string hint)
    : std::runtime_error(whole_text(place, message, hint)),
      code_(code),
      place_(std::move(place)),
      message_(std::move(message)),
      hint_(std::move(hint)) {}

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
  if (!place.file.empty()) text += place.file + ": ";
  if (place.node_index >= 0) {
    text += fmt::format("node {} '{}' ({}): ", place.node_index, place.node,
                        place.op.empty() ? "variable" : place.op);
  }
  if (!place.attribute.empty()) text += fmt::format("attribute '{}': ", place.attribute);
  return text;
}

void fail_at(ErrorPlace place, ErrorCode code, std::string message, std::string hint) {
  Error error(code, std::move(place), std::move(message), std::move(hint));
#if defined(__cpp_exceptions)
  throw error;
#else
  if (failure_handler != nullptr) failure_handler(code, error.what());
  std::abort();
#endif
}

void fail(ErrorCode code, std::string message, std::string hint) {
  fail_at(current_place(), code, std::move(message), std::move(hint));
}

void set_failure_handler(FailureHandler handler) { failure_handler = handler; }

}  // namespace mx2onnx
