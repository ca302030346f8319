// mx2onnx: the command line. The only folder that includes the command-line library.
#include "cli/application.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>

#include "base/nearest.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/habits.h"
#include "cli/help_layout.h"
#include "cli/output.h"
#include "cli/text_fit.h"
#include "mx2onnx/printable.h"
#include "mx2onnx/version.h"

namespace mx2onnx::cli {
namespace {

constexpr const char* kDescription =
    "Converts models of Apache MXNet to ONNX, without MXNet.\n\n"
    "A first conversion:\n"
    "  mx2onnx inspect model-symbol.json model-0000.params\n"
    "  mx2onnx convert model-symbol.json model-0000.params -o model.onnx\n";

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 a bug of mx2onnx, 2 wrong use, 3 a file cannot be read or written, 4 a "
    "file is malformed, 5 the parts of the model do not fit, 6 the model needs what is not "
    "supported. verify also has 7 the numbers differ, 8 nothing could be compared.";

std::string best_guess(const std::string& word, const std::vector<std::string>& known) {
  const auto like = nearest(word, known, 1);
  return like.empty() ? "" : like[0];
}

// A word of the command line that is no option or command although it should be one. CLI11 may
// complain of something else first, but this is what went wrong.
struct UnknownWord {
  std::string word;
  std::string nearest;
};

std::optional<UnknownWord> find_unknown_word(const CLI::App& app,
                                             const std::vector<std::string>& words) {
  std::vector<std::string> options;
  std::vector<std::string> commands;
  const auto add_options = [&](const CLI::App& command) {
    for (const auto* option : command.get_options()) {
      for (const auto& name : option->get_lnames()) options.push_back("--" + name);
    }
  };
  add_options(app);
  for (const auto* command : app.get_subcommands({})) {
    commands.push_back(command->get_name());
    if (!words.empty() && command->get_name() == words[0]) add_options(*command);
  }
  const auto is_known = [](const std::vector<std::string>& known, const std::string& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  if (!words.empty() && !words[0].starts_with('-') && !is_known(commands, words[0])) {
    return UnknownWord{words[0], best_guess(words[0], commands)};
  }
  for (const auto& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (name.starts_with("--") && name.size() > 2 && !is_known(options, name)) {
      return UnknownWord{name, best_guess(name, options)};
    }
  }
  return std::nullopt;
}

// CLI11's complaints, some of which are not said to a user.
std::string in_our_words(const CLI::ParseError& error) {
  const std::string message = error.what();
  const std::string first = message.substr(0, message.find('\n'));
  constexpr std::string_view kConversion = "Could not convert: ";
  if (first.starts_with(kConversion)) {
    const std::string rest = first.substr(kConversion.size());
    const auto equals = rest.find(" = ");
    if (equals != std::string::npos) {
      return fmt::format("mx2onnx: {}: expected a number, got '{}'", rest.substr(0, equals),
                         rest.substr(equals + 3));
    }
  }
  if (first == "A subcommand is required") return "mx2onnx: expected a command such as convert";
  return fmt::format("mx2onnx: {}", first);
}

int report_usage(const CLI::App& app, const CLI::ParseError& error,
                 const std::vector<std::string>& words) {
  // Help is not an error.
  if (error.get_exit_code() == 0) return app.exit(error);
  std::string text;
  std::string hint;
  if (const auto unknown = find_unknown_word(app, words)) {
    text = fmt::format("mx2onnx: there is no {} '{}'",
                       unknown->word[0] == '-' ? "option" : "command", printable(unknown->word));
    if (const auto command = unknown->word == words[0] ? missing_command(words) : std::nullopt) {
      hint = *command + "\nhint: ";
    } else if (!unknown->nearest.empty()) {
      hint = fmt::format("did you mean '{}'?\nhint: ", unknown->nearest);
    }
  } else {
    text = in_our_words(error);
  }
  hint += "mx2onnx --help and mx2onnx COMMAND --help explain everything";
  return report_failure(Error(ErrorCode::kUsage, {}, text, hint), words);
}

int run_application(const std::vector<std::string>& words, const Verifier& verifier) {
  CLI::App app(kDescription, "mx2onnx");
  app.formatter(std::make_shared<HelpLayout>(output_width()));
  app.footer(kFooter);
  app.set_version_flag("-V,--version", std::string("mx2onnx ") + kVersion);
  app.require_subcommand(1);
  Run run;
  add_convert_command(app, run, verifier);
  add_inspect_command(app, run);
  add_lint_command(app, run);
  add_ops_command(app, run);
  add_architectures_command(app, run);
  add_version_command(app, run);
  add_python_commands(app, run);
  add_generated_commands(app, run);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 takes them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error, words);
  }
  try {
    const int code = run();
    finish_standard_output();
    return code;
  } catch (const Error& error) {
    return report_failure(error, words);
  } catch (const std::system_error& error) {
    // What fmt throws where it cannot print: a full disk, a closed pipe.
    return report_failure(Error(ErrorCode::kIo, {.file = "standard output"},
                                "cannot be written: " + error.code().message(), ""),
                          {});
  }
}

}  // namespace

int run_command_line(int argc, char** argv, const Verifier& verifier) {
  std::vector<std::string> words;
  try {
    words = without_habits({argv + std::min(argc, 1), argv + argc});
    return run_application(words, verifier);
  } catch (const std::exception& error) {
    // Whatever the standard library throws.
    std::fprintf(stderr, "mx2onnx: %s\n", error.what());
    return static_cast<int>(ErrorCode::kInternal);
  }
}

}  // namespace mx2onnx::cli
