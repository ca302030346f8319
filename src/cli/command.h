// The command line, one file per command. Each `add_*_command` declares its options on the
// application and leaves behind what is to be run.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/application.h"
#include "mx2onnx/convert.h"

namespace CLI {
class App;
}

namespace mx2onnx::cli {

/// Set by the command that the user chose; returns the exit code.
using Run = std::function<int()>;

void add_convert_command(CLI::App& app, Run& run, const Verifier& verifier);
void add_inspect_command(CLI::App& app, Run& run);
void add_lint_command(CLI::App& app, Run& run);
void add_ops_command(CLI::App& app, Run& run);
void add_architectures_command(CLI::App& app, Run& run);
void add_version_command(CLI::App& app, Run& run);
void add_python_commands(CLI::App& app, Run& run);
void add_generated_commands(CLI::App& app, Run& run);

/// The model that convert and inspect work on, and what is known of it.
struct ModelArguments {
  std::string symbol;
  std::vector<std::string> params;
  std::vector<std::string> inputs;
  std::optional<std::int64_t> epoch;
  std::optional<std::uint64_t> unpack_limit;
  std::vector<std::string> rename_params;
  std::optional<int> opset;
  ConvertOptions options;

  void declare(CLI::App& command);
  /// Parses the texts above into the options.
  void finish();
  Source source() const {
    return {symbol, "", {params.begin(), params.end()}, {}, epoch, unpack_limit};
  }
  /// The command that converts this model with these options, for a shell.
  std::string convert_command() const;
};

/// "float32 (batch, 3, 224, 224)".
std::string type_text(const PortReport& port);

/// "553 MB".
std::string size_text(std::uint64_t bytes);

}  // namespace mx2onnx::cli
