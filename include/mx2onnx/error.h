// The one exception type of the library.
//
// Every failure that a caller can meet is an `Error`: unreadable and malformed files, models that
// do not fit together, operators that cannot be translated, files that cannot be written. The
// library never prints, aborts or exits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "mx2onnx/export.h"

namespace mx2onnx {

/// What kind of thing went wrong. The command line's exit code is the value of the enumerator.
enum class ErrorCode {
  kInternal = 1,  ///< A bug in mx2onnx: an invariant of its own does not hold.
  kUsage = 2,     ///< An option, input specification or argument makes no sense.
  kIo = 3,        ///< A file cannot be read or written.
  kFormat = 4,    ///< A file is truncated, corrupt, or not of the format it should be.
  kModel = 5,     ///< The parts of a model do not fit: missing parameters, shapes that disagree.
  kUnsupported =
      6,  ///< MXNet could run this, but it cannot be expressed at the target opset (yet).
};

/// The place that an error speaks of. Empty strings mean "not known here".
struct ErrorPlace {
  std::string file;              ///< Path as the caller gave it.
  std::string node;              ///< Name of the MXNet node.
  std::int64_t node_index = -1;  ///< Position of the node in the symbol file; -1 if there is none.
  std::string op;                ///< MXNet's operator name.
  std::string attribute;         ///< MXNet's attribute name.
};

/// Thrown by every function of the library that can fail.
///
/// `what()` is the whole text: the place, the message and, on a line of its own, the hint.
class MX2ONNX_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorCode code, ErrorPlace place, std::string message, std::string hint);

  ErrorCode code() const { return code_; }
  const ErrorPlace& place() const { return place_; }
  /// What was expected and what was found, without the place.
  const std::string& message() const { return message_; }
  /// What the user may do about it; empty if there is nothing to say.
  const std::string& hint() const { return hint_; }

 private:
  ErrorCode code_;
  ErrorPlace place_;
  std::string message_;
  std::string hint_;
};

}  // namespace mx2onnx
