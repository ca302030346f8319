// mx2onnx lint
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/text_fit.h"
#include "mx2onnx/lint.h"
#include "mx2onnx/printable.h"

namespace mx2onnx::cli {
namespace {

struct LintArguments {
  std::string file;
  std::vector<std::string> targets;
  bool json = false;
  bool list = false;
};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string node_list(const LintFinding& finding) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (std::size_t i = 0; i < finding.nodes.size() && i < kMost; ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", printable(finding.nodes[i]));
  if (finding.count > kMost) text += fmt::format(" and {} more", finding.count - kMost);
  return text;
}

class Printer {
 public:
  Printer() : columns_(screen_size(STDOUT_FILENO).columns) {
    if (columns_ == 0) columns_ = kColumnsOfAFile;
  }

  void print(const LintResult& result) const {
    const auto& runtime = result.runtime;
    print_lines("", fmt::format("{} ({}): {}", runtime.name, runtime.version, verdict(result)),
                "  ");
    for (const auto& finding : result.findings) {
      const std::string word = fmt::format("  {:7}", lint_word(finding.severity));
      std::string text = finding.op.empty() ? "" : printable(finding.op) + ": ";
      text += printable(finding.message);
      if (!finding.certain) text += " (perhaps: the file does not say enough)";
      if (finding.count > 0) text += fmt::format(" [{}]", node_list(finding));
      print_lines(word, text, "         ");
      if (!finding.advice.empty()) print_lines("         hint: ", finding.advice, "           ");
    }
  }

 private:
  static constexpr std::size_t kColumnsOfAFile = 80;

  static std::string verdict(const LintResult& result) {
    std::size_t problems = 0;
    std::size_t untried = 0;
    for (const auto& finding : result.findings) {
      const bool is_problem =
          finding.severity == LintSeverity::kWrong || finding.severity == LintSeverity::kRefuse;
      problems += is_problem ? 1 : 0;
      untried += finding.severity == LintSeverity::kUntried ? 1 : 0;
    }
    if (problems > 0) return fmt::format("{} problem{}", problems, problems == 1 ? "" : "s");
    if (untried > 0) return "no problem is known, but not all of it was tried";
    return "no problem is known";
  }

  void print_lines(const std::string& before, const std::string& text,
                   const std::string& indent) const {
    fmt::print("{}", lines_of(words_of(text), columns_, before, indent, ""));
  }

  std::size_t columns_;
};

int run_lint(const LintArguments& arguments) {
  if (arguments.list) {
    for (const auto& runtime : lint_runtimes())
      fmt::print("{:16} {}; opset {} to {}; {}\n", runtime.name, runtime.version,
                 runtime.first_opset, runtime.last_opset, runtime.how);
    return 0;
  }
  if (arguments.file.empty()) {
    throw Error(ErrorCode::kUsage, {}, "mx2onnx: lint: expected an ONNX file",
                "mx2onnx lint model.onnx --target NAME, or --list-targets");
  }
  const auto results = lint_file(arguments.file, arguments.targets);
  if (arguments.json) {
    fmt::print("{}\n", to_json(results));
  } else {
    const Printer printer;
    for (const auto& result : results) printer.print(result);
  }
  const bool runs = std::all_of(results.begin(), results.end(),
                                [](const LintResult& result) { return result.runs(); });
  return runs ? 0 : static_cast<int>(ErrorCode::kUnsupported);
}

}  // namespace

void add_lint_command(CLI::App& app, Run& run) {
  const auto arguments = std::make_shared<LintArguments>();
  CLI::App& command = *app.add_subcommand(
      "lint", "Say what a runtime would refuse of an ONNX file, or compute wrongly");
  command.footer(
      "The file may be anybody's. The exit code is 6 if a runtime refuses something or gets\n"
      "it wrong.\n"
      "\nExamples:\n"
      "  mx2onnx lint model.onnx --target opencv4\n"
      "  mx2onnx lint model.onnx --target tensorrt,tvm --json\n"
      "  mx2onnx lint --list-targets");
  command.add_option("FILE", arguments->file, "an ONNX file");
  command
      .add_option("--target", arguments->targets,
                  "the runtime, or several of them; all there are unless given")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_flag("--list-targets", arguments->list,
                   "print the runtimes, their versions, and how their rules are known");
  command.add_flag("--json", arguments->json, "print JSON");
  command.callback([arguments, &run] { run = [arguments] { return run_lint(*arguments); }; });
}

}  // namespace mx2onnx::cli
