// mx2onnx architectures
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/command.h"
#include "mx2onnx/architectures.h"

namespace mx2onnx::cli {
namespace {

std::string input_text(const ArchitectureInfo& net) {
  if (net.inputs.empty()) return "any";
  if (net.inputs.size() > 1) return fmt::format("{} inputs", net.inputs.size());
  std::string text;
  for (const auto& input : net.inputs) {
    std::string dims;
    for (const auto& dim : input.dims.value_or(std::vector<std::string>())) {
      // What stays free is the same for all.
      if (dim == "batch") continue;
      const bool is_number = dim.find_first_not_of("0123456789") == std::string::npos;
      dims += (dims.empty() ? "" : "x") + (is_number ? dim : "*");
    }
    text += (text.empty() ? "" : ", ") + dims;
  }
  return text.size() > 18 ? fmt::format("{} inputs", net.inputs.size()) : text;
}

void print_table() {
  const auto nets = known_architectures();
  std::string task;
  for (const auto& net : nets) {
    if (net.task != task) {
      fmt::print("{}{}\n", task.empty() ? "" : "\n", net.task);
      task = net.task;
    }
    std::string line = fmt::format("  {:46} {:18}", net.name, input_text(net));
    if (!net.classes.empty()) line += fmt::format(" {} classes", net.classes.size());
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
  fmt::print("\n{} nets, by the task; * is a size that stays free\n", nets.size());
}

}  // namespace

void add_architectures_command(CLI::App& app, Run& run) {
  const auto json = std::make_shared<bool>(false);
  CLI::App& command = *app.add_subcommand(
      "architectures", "List the nets whose weights are converted without a symbol");
  command.add_flag("--json", *json, "print JSON");
  command.callback([json, &run] {
    run = [json] {
      if (*json) {
        fmt::print("{}\n", architectures_json());
      } else {
        print_table();
      }
      return 0;
    };
  });
}

}  // namespace mx2onnx::cli
