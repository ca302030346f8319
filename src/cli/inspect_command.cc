// mx2onnx inspect
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/terminal.h"
#include "mx2onnx/inspect.h"

namespace mx2onnx::cli {
namespace {

struct InspectArguments : ModelArguments {
  bool json = false;
};

void print_list(const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  fmt::print("{}\n", title);
  for (const auto& line : lines) fmt::print("  {}\n", line);
}

std::string port_line(const PortReport& port) {
  if (port.shape.empty() && port.dtype == "unknown") return port.name + ": unknown";
  return fmt::format("{}: {}", port.name, type_text(port));
}

void print_inspection(const Inspection& inspection) {
  for (const auto& diagnostic : inspection.diagnostics) {
    print_warning(fmt::format("{} [{}]", diagnostic.message, diagnostic.id));
  }
  fmt::print("saved by MXNet {}{}\n", inspection.mxnet_version,
             inspection.np_shape ? " with NumPy shape semantics" : "");
  std::vector<std::string> lines;
  for (const auto& port : inspection.inputs) lines.push_back(port_line(port));
  print_list("inputs", lines);
  lines.clear();
  for (const auto& port : inspection.outputs) lines.push_back(port_line(port));
  print_list("outputs", lines);
  print_list("not needed at inference", inspection.labels);
  lines.clear();
  for (const auto& count : inspection.operators) {
    lines.push_back(
        fmt::format("{:5}  {}{}", count.nodes, count.op, count.known ? "" : "  (not known)"));
  }
  print_list("operators", lines);
  fmt::print("parameters\n  {} of {}\n", inspection.num_parameters,
             size_text(inspection.parameter_bytes));
  print_list("missing parameters", inspection.missing_parameters);
  print_list("would not convert", inspection.problems);
}

}  // namespace

void add_inspect_command(CLI::App& app, Run& run) {
  const auto arguments = std::make_shared<InspectArguments>();
  CLI::App& command =
      *app.add_subcommand("inspect", "Say what is in a model, and what would not convert");
  arguments->declare(command);
  command.add_flag("--json", arguments->json, "print JSON");
  command.callback([arguments, &run] {
    run = [arguments] {
      arguments->finish();
      const Inspection inspection = inspect(arguments->source(), arguments->options);
      if (arguments->json) {
        fmt::print("{}\n", to_json(inspection));
      } else {
        print_inspection(inspection);
      }
    };
  });
}

}  // namespace mx2onnx::cli
