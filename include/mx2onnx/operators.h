// The operator table: what the program knows of each MXNet operator.
#pragma once

#include <string>
#include <vector>

namespace mx2onnx {

struct AttributeInfo {
  std::string name;
  std::string expected;  ///< "an integer of at least 1", "relu or tanh"; empty if it is ignored.
  std::string default_text;  ///< Empty if the attribute is required.
  bool required = false;
  bool ignored = false;  ///< Accepted, and without meaning for inference.
  std::string help;
};

struct OperatorInfo {
  std::string name;                  ///< Canonical.
  std::vector<std::string> aliases;  ///< Other names of the same operator.
  std::string summary;
  std::vector<std::string> inputs;  ///< With default attributes; "args…" for any number.
  std::vector<AttributeInfo> attributes;
  std::vector<std::string> notes;  ///< Known limits.
};

/// All operators that are translated, sorted by name.
std::vector<OperatorInfo> operators();

/// The table as a JSON document `{"operators": [{"name", "aliases", "status", …}]}`.
std::string operators_json();

/// The table as the Markdown page docs/operators.md.
std::string operators_markdown();

}  // namespace mx2onnx
