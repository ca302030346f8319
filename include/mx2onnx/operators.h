// The operator table: what the program knows of each MXNet operator.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mx2onnx/export.h"

namespace mx2onnx {

struct AttributeInfo {
  std::string name;
  std::string expected;  ///< "an integer of at least 1", "relu or tanh"; empty if it is ignored.
  std::string default_text;  ///< Empty if the attribute is required.
  bool required = false;
  bool ignored = false;  ///< Accepted, and without meaning for inference.
  std::string help;
};

/// What an operator means in files of other MXNets.
struct VariantInfo {
  std::string files;       ///< "until MXNet 0.7", "since MXNet 2.0".
  std::string difference;  ///< "gamma and beta per channel".
  std::vector<std::string> inputs;
  std::vector<AttributeInfo> attributes;
  std::vector<std::string> notes;
};

/// What becomes of an operator of MXNet.
enum class OperatorStatus {
  kTranslated,
  kPlanned,  ///< Can be expressed, and is not yet.
  kRefused,  ///< Has no place in a model for inference, or nothing to be expressed with.
};

/// Something that an opset cannot express and a newer or older one can.
struct OpsetLimit {
  std::string attribute;  ///< "aligned=True"; empty if it is the operator as such.
  std::string reason;
  std::string hint;
};

struct OperatorInfo {
  std::string name;  ///< Canonical.
  OperatorStatus status = OperatorStatus::kTranslated;
  std::string kind;                  ///< Why it is not translated, in a word or two: "gradient".
  std::string reason;                ///< The same as a sentence that begins with the name.
  std::vector<std::string> aliases;  ///< Other names of the same operator.
  std::string field;                 ///< What it is about, of one that is translated: "nn".
  std::string summary;
  std::vector<std::string> inputs;  ///< With default attributes; "args…" for any number.
  std::vector<AttributeInfo> attributes;
  std::vector<std::string> notes;     ///< Known limits.
  std::vector<VariantInfo> variants;  ///< What is above is for all other files.
};

/// All operators that are translated, sorted by name.
MX2ONNX_EXPORT std::vector<OperatorInfo> operators();

/// The other operators of MXNet 1.9.1, sorted by name: planned or refused, with the reason. With
/// `operators` these are all that it registers.
MX2ONNX_EXPORT std::vector<OperatorInfo> untranslated_operators();

/// What the opset cannot express of a translated operator, given its name or an alias: the operator
/// as such, or single attribute values with the others at their defaults.
MX2ONNX_EXPORT std::vector<OpsetLimit> opset_limits(const std::string& name, int opset);

/// The table as a JSON document `{"operators": [{"name", "aliases", "status", "reason", …}]}`: all
/// operators of MXNet 1.9.1 and those that are translated beside them. With an opset, translated
/// operators have "limits", too.
MX2ONNX_EXPORT std::string operators_json(std::optional<int> opset = {});

/// The table as the Markdown page docs/operators.md.
MX2ONNX_EXPORT std::string operators_markdown();

}  // namespace mx2onnx
