// The manual's page, in roff's macros for such pages (man-pages(7)).
#include <fmt/format.h>

#include <string_view>

#include "cli/option_table.h"
#include "mx2onnx/version.h"

namespace mx2onnx::cli {
namespace {

// Backslashes are roff's, dashes would become hyphens, and a line must not begin with a dot or an
// apostrophe.
std::string roff(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_line = i == 0 || text[i - 1] == '\n';
    if (begins_line && (text[i] == '.' || text[i] == '\'')) result += "\\&";
    if (text[i] == '\\') {
      result += "\\e";
    } else if (text[i] == '-') {
      result += "\\-";
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string option_entry(const OptionRow& option) {
  std::string names;
  for (const auto& name : option.names) names += (names.empty() ? "" : ", ") + roff(name);
  std::string value = roff(option.value);
  if (option.value_is_optional && !value.empty()) value = "[" + value + "]";
  if (names.empty()) return fmt::format(".TP\n.I {}\n{}\n", value, roff(option.help));
  return fmt::format(".TP\n.B {}{}\n{}\n", names, value.empty() ? "" : " \\fI" + value + "\\fR",
                     roff(option.help));
}

// A text as it stands, in lines.
std::string verbatim(std::string_view text) {
  const auto begin = text.find_first_not_of('\n');
  if (begin == std::string_view::npos) return {};
  return fmt::format(".PP\n.nf\n{}\n.fi\n", roff(text.substr(begin)));
}

}  // namespace

std::string man_page(const std::vector<CommandRow>& table) {
  std::string page = fmt::format(
      ".TH MX2ONNX 1 \"\" \"mx2onnx {}\" \"User Commands\"\n.SH NAME\nmx2onnx \\- converts models "
      "of "
      "Apache MXNet to ONNX\n.SH SYNOPSIS\n.B mx2onnx\n.I COMMAND\n[\\fIOPTIONS\\fR]\n",
      kVersion);
  const CommandRow& program = table.front();
  page += ".SH DESCRIPTION\n" + verbatim(program.help) + ".SH OPTIONS\n";
  for (const auto& option : program.options) page += option_entry(option);
  page += ".SH COMMANDS\n";
  for (const auto& command : table) {
    if (command.name.empty()) continue;
    page += fmt::format(".SS mx2onnx {}\n{}\n", roff(command.name), roff(command.help));
    for (const auto& positional : command.positionals) page += option_entry(positional);
    for (const auto& option : command.options) page += option_entry(option);
    page += verbatim(command.footer);
  }
  page += ".SH EXIT STATUS\n" + verbatim(program.footer);
  return page;
}

}  // namespace mx2onnx::cli
