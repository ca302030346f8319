// The commands with their options as a table, for whatever is generated from it: completion of
// shells and the man page.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mx2onnx::cli {

struct OptionRow {
  std::vector<std::string> names;  ///< With their dashes: "-o", "--output". Empty for a positional.
  std::string value;               ///< What it takes: "FILE"; empty for a flag.
  bool value_is_optional = false;
  std::string help;
};

struct CommandRow {
  std::string name;  ///< Empty for the program itself.
  std::string help;
  std::string footer;
  std::vector<OptionRow> options;
  std::vector<OptionRow> positionals;
};

/// The program's own options first, then each command.
std::vector<CommandRow> option_table(const CLI::App& app);

/// "bash", "zsh" or "fish"; the script that completes words of mx2onnx there.
std::string completion_script(const std::vector<CommandRow>& table, const std::string& shell);

/// The manual's page in roff.
std::string man_page(const std::vector<CommandRow>& table);

}  // namespace mx2onnx::cli
