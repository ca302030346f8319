// How --help is laid out: as CLI11 does it, with its lines broken between words where the terminal
// ends.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace mx2onnx::cli {

/// Texts of options and commands are written without line breaks of their own. In the texts before
/// and after them a line that begins with spaces is a command to be typed: where it does not fit it
/// goes on, as a shell takes it, after a backslash.
class HelpLayout : public CLI::Formatter {
 public:
  /// Lines have at most `width` letters, unless a single word has more.
  explicit HelpLayout(std::size_t width);

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;

 private:
  std::string row(const std::string& name, const std::string& text) const;
  std::string paragraphs(const std::string& text) const;

  std::size_t width_;
};

}  // namespace mx2onnx::cli
