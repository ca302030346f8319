// mx2onnx completion, mx2onnx man, and the table they are made from.
#include "cli/option_table.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"

namespace mx2onnx::cli {
namespace {

// One line: help texts have line breaks for the terminal.
std::string one_line(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool is_space = c == '\n' || c == ' ';
    if (is_space && (result.empty() || result.back() == ' ')) continue;
    result += is_space ? ' ' : c;
  }
  return result.substr(0, result.find_last_not_of(' ') + 1);
}

OptionRow row_of(const CLI::Option& option) {
  OptionRow row;
  for (const auto& name : option.get_snames()) row.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) row.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) row.value = option.get_type_name();
  row.value_is_optional = option.get_items_expected_min() == 0;
  if (row.names.empty()) row.value = option.get_name(true);
  // It is shown as optional anyway.
  if (row.value_is_optional && row.value.starts_with('[') && row.value.ends_with(']'))
    row.value = row.value.substr(1, row.value.size() - 2);
  row.help = one_line(option.get_description());
  const std::string usual = option.get_default_str();
  if (!usual.empty() && !row.value_is_optional) row.help += fmt::format(" (default {})", usual);
  return row;
}

CommandRow row_of(const CLI::App& app) {
  CommandRow row;
  row.help = app.get_description();
  row.footer = app.get_footer();
  for (const auto* option : app.get_options()) {
    (option->get_positional() ? row.positionals : row.options).push_back(row_of(*option));
  }
  return row;
}

void add_generator(CLI::App& app, Run& run, const std::string& name, const std::string& summary,
                   std::string (*generate)(const CLI::App&, const std::string&), bool of_shell) {
  CLI::App& command = *app.add_subcommand(name, summary);
  const auto shell = std::make_shared<std::string>();
  if (of_shell) {
    command.add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }
  command.callback([&app, &run, shell, generate] {
    run = [&app, shell, generate] {
      fmt::print("{}", generate(app, *shell));
      return 0;
    };
  });
}

}  // namespace

std::vector<CommandRow> option_table(const CLI::App& app) {
  std::vector<CommandRow> table = {row_of(app)};
  for (const auto* command : app.get_subcommands({})) {
    table.push_back(row_of(*command));
    table.back().name = command->get_name();
    // The program's footer is inherited.
    if (table.back().footer == table.front().footer) table.back().footer.clear();
  }
  return table;
}

void add_generated_commands(CLI::App& app, Run& run) {
  add_generator(
      app, run, "completion", "Print the script that completes words of mx2onnx in a shell",
      [](const CLI::App& all, const std::string& shell) {
        return completion_script(option_table(all), shell);
      },
      true);
  add_generator(
      app, run, "man", "Print the manual's page, in roff",
      [](const CLI::App& all, const std::string&) { return man_page(option_table(all)); }, false);
}

}  // namespace mx2onnx::cli
