// What runtimes would make of an ONNX file, ours or anybody's: what they refuse, and what they
// compute wrongly, by a table of what was tried with them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "mx2onnx/export.h"

namespace mx2onnx {

enum class LintSeverity {
  kWrong,    ///< The runtime computes other numbers, and does not say so.
  kRefuse,   ///< It does not load or does not run the model.
  kRisk,     ///< It runs it, and whether the numbers are right depends on them.
  kSlow,     ///< It runs it, at a cost.
  kUntried,  ///< Nobody tried this with it.
};

/// One thing that is wrong, and the nodes that it is true of.
struct LintFinding {
  LintSeverity severity = LintSeverity::kRefuse;
  std::string op;       ///< ONNX's operator; empty for what is true of the model as a whole.
  std::string message;  ///< What the runtime does.
  std::string advice;   ///< What to do about it; may be empty.
  std::string how;      ///< How it is known.
  /// False if the file does not say enough (a type, a rank) to be sure.
  bool certain = true;
  std::size_t count = 0;  ///< Nodes.
  /// The names of the first ten; of one without a name, that of its first output.
  std::vector<std::string> nodes;
};

/// A runtime that models can be checked for.
struct LintRuntime {
  std::string name;     ///< As `--target` takes it.
  std::string version;  ///< "OpenCV 4.14.0".
  std::string how;      ///< How its rules came about.
  int first_opset = 0;
  int last_opset = 0;
};

struct LintResult {
  LintRuntime runtime;
  std::vector<LintFinding> findings;  ///< The worst first.
  /// True unless something is certainly refused or wrong.
  MX2ONNX_EXPORT bool runs() const;
};

/// The runtimes that there are rules for.
MX2ONNX_EXPORT std::vector<LintRuntime> lint_runtimes();

/// Checks an ONNX file for each of these runtimes, in this order; for all of them if there are
/// none. Weights beside the file are not read. Throws Error: kUsage for a runtime that there is
/// none of, kIo and kFormat for a file that cannot be read or is no ONNX model.
MX2ONNX_EXPORT std::vector<LintResult> lint_file(const std::filesystem::path& file,
                                                 const std::vector<std::string>& targets);

/// As `lint_file`, of a model in memory. `name` is for messages.
MX2ONNX_EXPORT std::vector<LintResult> lint_model(std::span<const std::byte> model,
                                                  const std::string& name,
                                                  const std::vector<std::string>& targets);

/// The word for a severity: "wrong", "refuse", "risk", "slow", "untried".
MX2ONNX_EXPORT std::string lint_word(LintSeverity severity);

/// A list with an object for each runtime: `target`, `runtime`, `how`, `runs` and `findings`.
MX2ONNX_EXPORT std::string to_json(const std::vector<LintResult>& results);

}  // namespace mx2onnx
