// Completion of words in shells: the commands, their options, and files.
#include <fmt/format.h>

#include "cli/option_table.h"

namespace mx2onnx::cli {
namespace {

std::string option_words(const CommandRow& command) {
  std::string words;
  for (const auto& option : command.options) {
    for (const auto& name : option.names) words += (words.empty() ? "" : " ") + name;
  }
  return words;
}

std::string command_words(const std::vector<CommandRow>& table) {
  std::string words;
  for (const auto& command : table) words += (words.empty() ? "" : " ") + command.name;
  return words;
}

bool takes_file(const OptionRow& option) {
  return option.value.starts_with("FILE") || option.value == "PATH";
}

// After these no file is completed, for what they take is none.
std::string other_values(const CommandRow& command) {
  std::string words;
  for (const auto& option : command.options) {
    const bool takes_other =
        !option.value.empty() && !takes_file(option) && !option.value_is_optional;
    for (const auto& name : option.names) {
      if (takes_other) words += (words.empty() ? "" : "|") + name;
    }
  }
  return words;
}

std::string bash_script(const std::vector<CommandRow>& table) {
  std::string cases;
  for (const auto& command : table) {
    if (command.name.empty()) continue;
    const std::string others = other_values(command);
    cases += fmt::format("    {})\n", command.name);
    if (!others.empty())
      cases += fmt::format("      case $previous in {}) return ;; esac\n", others);
    if (command.name == "completion") {
      cases += "      words='bash zsh fish' ;;\n";
    } else {
      cases += fmt::format("      words='{}' ;;\n", option_words(command));
    }
  }
  return fmt::format(R"(# bash completion for mx2onnx
_mx2onnx() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '{} {}' -- "$word"))
    return
  fi
  case ${{COMP_WORDS[1]}} in
{}  esac
  if [[ $word == -* || ${{COMP_WORDS[1]}} == completion ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    compopt -o filenames 2> /dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -F _mx2onnx mx2onnx
)",
                     command_words(table), option_words(table.front()), cases);
}

// A text in single quotes, with what _arguments and _values take for their own made harmless.
std::string zsh_text(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted;
}

std::string zsh_script(const std::vector<CommandRow>& table) {
  std::string commands;
  std::string cases;
  for (const auto& command : table) {
    if (command.name.empty()) continue;
    commands += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.help));
    if (command.name == "completion") {
      cases += "    completion) _values shell bash zsh fish ;;\n";
      continue;
    }
    std::string arguments;
    for (const auto& option : command.options) {
      const std::string value =
          option.value.empty()
              ? ""
              : fmt::format("{}{}:{}", option.value_is_optional ? "::" : ":",
                            zsh_text(option.value), takes_file(option) ? "_files" : " ");
      for (const auto& name : option.names) {
        arguments += fmt::format(" \\\n      '*{}[{}]{}'", name, zsh_text(option.help), value);
      }
    }
    cases +=
        fmt::format("    {}) _arguments{} \\\n      '*:file:_files' ;;\n", command.name, arguments);
  }
  return fmt::format(R"(#compdef mx2onnx
_mx2onnx() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _mx2onnx "$@"
else
  compdef _mx2onnx mx2onnx
fi
)",
                     commands, cases);
}

std::string fish_text(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string fish_script(const std::vector<CommandRow>& table) {
  std::string script = "# fish completion for mx2onnx\n";
  for (const auto& command : table) {
    if (!command.name.empty()) {
      script += fmt::format("complete -c mx2onnx -n __fish_use_subcommand -f -a {} -d {}\n",
                            command.name, fish_text(command.help));
    }
    const std::string when = command.name.empty()
                                 ? "__fish_use_subcommand"
                                 : fmt::format("'__fish_seen_subcommand_from {}'", command.name);
    if (command.name == "completion")
      script += fmt::format("complete -c mx2onnx -n {} -f -a 'bash zsh fish'\n", when);
    for (const auto& option : command.options) {
      script += fmt::format("complete -c mx2onnx -n {}", when);
      for (const auto& name : option.names) {
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.value.empty() && !option.value_is_optional)
        script += takes_file(option) ? " -r" : " -x";
      script += fmt::format(" -d {}\n", fish_text(option.help));
    }
  }
  return script;
}

}  // namespace

std::string completion_script(const std::vector<CommandRow>& table, const std::string& shell) {
  if (shell == "zsh") return zsh_script(table);
  return shell == "fish" ? fish_script(table) : bash_script(table);
}

}  // namespace mx2onnx::cli
