// What becomes of MXNet's operators that have no record: each is planned or refused, with the
// reason. Together with the registry this covers every name that MXNet 1.9.1 or 2.0.0b1 registers.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mx2onnx {

enum class UntranslatedStatus {
  kPlanned,  ///< Can be expressed, and is not yet.
  kRefused,  ///< Has no place in a model for inference, or nothing to be expressed with.
};

struct Untranslated {
  UntranslatedStatus status;
  std::string_view kind;    ///< "gradient": a word or two for tables.
  std::string_view reason;  ///< Follows the name: "is the gradient of another operator: …".
};

/// Nothing for a name that MXNet 1.9.1 does not register. Whether the name has a record is for the
/// registry to say, and comes first.
std::optional<Untranslated> find_untranslated(std::string_view name);

/// Every operator of MXNet 1.9.1: canonical name first, then its aliases.
std::vector<std::vector<std::string_view>> mxnet_operators();

}  // namespace mx2onnx
