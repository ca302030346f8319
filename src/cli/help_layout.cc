#include "cli/help_layout.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/text_fit.h"

namespace mx2onnx::cli {
namespace {

constexpr std::size_t kNameColumn = 28;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The words of a command, an option and its value together.
std::vector<std::string> parts_of(const std::string& command) {
  std::vector<std::string> parts;
  bool after_option = false;
  for (auto& word : words_of(command)) {
    const bool is_option = word.starts_with('-');
    if (after_option && !is_option) {
      parts.back() += " " + word;
    } else {
      parts.push_back(std::move(word));
    }
    after_option = is_option;
  }
  return parts;
}

}  // namespace

HelpLayout::HelpLayout(std::size_t width) : width_(width) {
  column_width(std::min(kNameColumn, width / 2));
}

std::string HelpLayout::make_help(const CLI::App* app, std::string name,
                                  CLI::AppFormatMode mode) const {
  const std::string footer = app->get_footer();
  std::string text = paragraphs(make_description(app)) + make_usage(app, name) +
                     make_positionals(app) + make_groups(app, mode) + make_subcommands(app, mode);
  if (!footer.empty()) text += "\n" + paragraphs(footer);
  // Between two groups CLI11 leaves more lines than elsewhere.
  while (text.find("\n\n\n") != std::string::npos)
    text = CLI::detail::find_and_replace(text, "\n\n\n", "\n\n");
  return text;
}

std::string HelpLayout::make_option(const CLI::Option* option, bool is_positional) const {
  // "--verify{run}": what a flag stands for without a value is nobody's business.
  std::string name = make_option_name(option, is_positional);
  const std::size_t brace = name.find('{');
  if (brace != std::string::npos) name.erase(brace, name.find('}', brace) + 1 - brace);
  return row(name + make_option_opts(option), make_option_desc(option));
}

std::string HelpLayout::make_subcommand(const CLI::App* command) const {
  return row(command->get_display_name(true), command->get_description());
}

std::string HelpLayout::row(const std::string& name, const std::string& text) const {
  const std::string margin(get_column_width(), ' ');
  std::string head = "  " + name;
  if (head.size() + 1 > margin.size()) {
    return head + "\n" + lines_of(words_of(text), width_, margin, margin, "");
  }
  head.resize(margin.size(), ' ');
  return lines_of(words_of(text), width_, head, margin, "");
}

std::string HelpLayout::paragraphs(const std::string& text) const {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(' ')) {
      result += lines_of(parts_of(line), width_, "  ", "      ", " \\");
    } else {
      result += lines_of(words_of(line), width_, "", "", "");
    }
  }
  return result;
}

}  // namespace mx2onnx::cli
